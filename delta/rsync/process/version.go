package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"inosyncd/internal/printable"
)

// Version returns the version of an rsync program, such as "3.4.1"; program ""
// is the one in PATH.
func Version(ctx context.Context, program string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, programOf(program), "--version")
	cmd.Env = Environment()
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking %q for its version: %w", programOf(program), err)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	version, ok := ParseVersion(string(line))
	if !ok {
		return "", fmt.Errorf("asking %q for its version: it answers %q", programOf(program), printable.Clip(printable.Escape(string(line))))
	}
	return version, nil
}

// TooOld is the error about an rsync on this machine that is not to be used.
type TooOld struct {
	Version string // what it is
	Lacks   string // what it cannot do
	Needs   string // the version that can
}

func (e *TooOld) Error() string {
	return fmt.Sprintf("rsync is too old: rsync %s cannot %s, %s can", printable.Clip(printable.Escape(e.Version)), e.Lacks, e.Needs)
}

// Check asks program, "" being the one in PATH, for its version. The error is a
// [TooOld] if it is too old to be used for any node.
func Check(ctx context.Context, program string) (version string, err error) {
	version, err = Version(ctx, program)
	if err != nil {
		return "", err
	}
	if old := Outdated(version, oldest, "keep file names out of remote shells"); old != nil {
		return "", old
	}
	return version, nil
}

// Outdated says that version is known to be older than the first that does not
// lack something, nil if it is not.
func Outdated(version string, first [3]int, lacks string) *TooOld {
	if !OlderThan(version, first) {
		return nil
	}
	return &TooOld{version, lacks, dotted(first)}
}

// Needs returns the version that will do where err says that there is none, or
// one that is too old.
func Needs(err error) string {
	if old, ok := errors.AsType[*TooOld](err); ok {
		return old.Needs
	}
	return dotted(oldest)
}

func dotted(v [3]int) string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// ParseVersion reads the first line that rsync --version prints.
func ParseVersion(line string) (version string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 3 || fields[0] != "rsync" || fields[1] != "version" {
		return "", false
	}
	return strings.TrimPrefix(fields[2], "v"), true
}

func programOf(name string) string {
	if name == "" {
		return "rsync"
	}
	return name
}

// oldest is the first rsync that keeps remote file names out of the remote
// shell by itself.
var oldest = [3]int{3, 2, 4}

// OlderThan reports whether version is known to be older than other.
func OlderThan(version string, other [3]int) bool {
	parts := strings.Split(version, ".")
	for i, want := range other {
		if i >= len(parts) {
			return false
		}
		digits := strings.TrimRightFunc(parts[i], func(r rune) bool { return r < '0' || r > '9' })
		got, err := strconv.Atoi(digits)
		if err != nil || got > want {
			return false // unknown, or newer
		}
		if got < want {
			return true
		}
	}
	return false
}
