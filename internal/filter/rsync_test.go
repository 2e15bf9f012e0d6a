package filter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func needRsync(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("rsync"); err != nil {
		t.Skip("needs the program rsync: ", err)
	}
}

// rsync runs rsync with args and returns the lines of its standard output.
func rsync(ctx context.Context, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "rsync", args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin:/usr/local/bin"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running rsync %q: %w: %s", args, err, stderr.Bytes())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"), nil
}

// list returns what rsync would send of the directory dir.
func list(ctx context.Context, dir string, args ...string) (map[string]bool, error) {
	lines, err := rsync(ctx, append(args, "-rl", "--list-only", dir+"/")...)
	if err != nil {
		return nil, err
	}
	const column = 46 // of the name, behind mode, size and time
	paths := map[string]bool{}
	for _, line := range lines {
		if len(line) <= column {
			return nil, fmt.Errorf("rsync lists %q", line)
		}
		name := line[column:]
		if line[0] == 'l' {
			name = strings.TrimSuffix(name, " -> "+linkTarget)
		}
		if name != "." {
			paths[unescape(name)] = true
		}
	}
	return paths, nil
}

// mirror mirrors src to dst with --delete and returns what of tr, which stands
// at dst, is gone afterwards. (A dry run would not do: it says that it deletes
// directories which protected entries keep.)
func mirror(ctx context.Context, src, dst string, tr tree, args ...string) (map[string]bool, error) {
	if _, err := rsync(ctx, append(args, "-rl", "--delete", src+"/", dst+"/")...); err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for _, e := range tr {
		if _, err := os.Lstat(dst + "/" + e.path); errors.Is(err, fs.ErrNotExist) {
			gone[e.path] = true
		} else if err != nil {
			return nil, err
		}
	}
	return gone, nil
}

var escaped = regexp.MustCompile(`\\#[0-7]{3}`)

// unescape undoes what rsync does to bytes that are not printable: \#ooo.
func unescape(name string) string {
	return escaped.ReplaceAllStringFunc(name, func(s string) string {
		c, err := strconv.ParseUint(s[2:], 8, 8)
		if err != nil {
			return s
		}
		return string([]byte{byte(c)})
	})
}
