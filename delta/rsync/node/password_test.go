package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", "pass word\nmore\n", 0o600)
	if err := os.Symlink(good, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if got, err := readPassword(good); got != "pass word" || err != nil {
		t.Errorf("readPassword: got %q, %v", got, err)
	}
	for name, path := range map[string]string{
		"group can read": file("group", "p", 0o640),
		"others can":     file("others", "p", 0o604),
		"executable":     file("exec", "p", 0o700),
		"empty":          file("empty", "\np", 0o600),
		"too long":       file("long", strings.Repeat("p", maxPassword+1), 0o600),
		"link":           dir + "/link",
		"directory":      dir,
		"missing":        dir + "/missing",
	} {
		if got, err := readPassword(path); err == nil {
			t.Errorf("readPassword of a file that is wrong (%s): got %q, want an error", name, got)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(good, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if got, err := readPassword(good); err == nil {
			t.Errorf("readPassword of a stranger's file: got %q, want an error", got)
		}
	}
}
