package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := errors.Join(os.Symlink(file("target", "secret", 0o600), dir+"/link"), unix.Mkfifo(dir+"/fifo", 0o600)); err != nil {
		t.Fatal(err)
	}
	const bounds = "must hold 3 to 8 bytes in its first line"
	for _, tt := range []struct{ name, path, want, err string }{
		{"a line", file("line", "secret\n", 0o600), "secret", ""},
		{"read-only, no end of line", file("readonly", "secret", 0o400), "secret", ""},
		{"several lines", file("several", "se cret\nmore\n", 0o600), "se cret", ""},
		{"of another system", file("crlf", "12345678\r\n", 0o600), "12345678", ""},
		{"the least", file("least", "123\n45678", 0o600), "123", ""},
		{"too short", file("short", "12\n345678", 0o600), "", bounds},
		{"too long", file("long", "123456789\n", 0o600), "", bounds},
		{"empty", file("empty", "", 0o600), "", bounds},
		{"NUL", file("nul", "123\x0045\n", 0o600), "", bounds},
		{"others can read", file("others", "secret", 0o604), "", "has mode 0604, must have 0600 or 0400"},
		{"the group can write", file("group", "secret", 0o620), "", "has mode 0620, must have 0600 or 0400"},
		{"a link", dir + "/link", "", "must not be a symbolic link"},
		{"a directory", dir, "", "is no regular file"},
		{"a FIFO", dir + "/fifo", "", "is no regular file"},
		{"missing", dir + "/none", "", "cannot be read: no such file or directory"},
	} {
		got, err := Line(tt.path, 3, 8)
		if got != tt.want || err == nil && tt.err != "" || err != nil && err.Error() != tt.err {
			t.Errorf("%s: Line(): got %q, %v, want %q, %s", tt.name, got, err, tt.want, tt.err)
		}
		if missing := strings.HasSuffix(tt.path, "/none"); errors.Is(err, fs.ErrNotExist) != missing {
			t.Errorf("%s: Line(): got %v, want fs.ErrNotExist %v", tt.name, err, missing)
		}
	}
	if os.Geteuid() != 0 {
		return // a file can be given away by root alone
	}
	path := file("strangers", "secret", 0o600)
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if got, err := Line(path, 3, 8); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("Line() of a stranger's file: got %q, %v, want an error", got, err)
	}
}
