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

// ErrTooOld is what Check returns of an rsync that is not used.
var ErrTooOld = errors.New("rsync is too old")

// Check returns nil if program, "" being the one in PATH, is there and new enough.
func Check(ctx context.Context, program string) error {
	version, err := Version(ctx, program)
	if err != nil {
		return err
	}
	if TooOld(version) {
		return fmt.Errorf("%w: rsync %s cannot keep file names out of remote shells, 3.2.4 can", ErrTooOld, printable.Clip(printable.Escape(version)))
	}
	return nil
}

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

// TooOld reports whether version is known to be older than oldest.
func TooOld(version string) bool { return OlderThan(version, oldest) }

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
