package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"inosyncd/internal/source"
)

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, path string)
		gone bool
	}{
		{"untouched", func(*testing.T, string) {}, false},
		{"filled", func(t *testing.T, path string) {
			must(t, os.WriteFile(filepath.Join(path, "f"), nil, 0o600))
		}, false},
		{"removed", func(t *testing.T, path string) { must(t, os.Remove(path)) }, true},
		{"made again, perhaps with the same inode number", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
		}, true},
		{"renamed and back", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+"2"))
			must(t, os.Rename(path+"2", path))
		}, false},
		{"replaced by a file", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, nil, 0o600))
		}, true},
		{"reached through a link that leads elsewhere", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+"2"))
			must(t, os.Symlink(t.TempDir(), path))
		}, true},
		{"reached through a link that leads to it", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+"2"))
			must(t, os.Symlink(path+"2", path))
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "src")
			must(t, os.Mkdir(path, 0o700))
			r := source.New(path)
			must(t, r.Adopt())
			tt.do(t, path)
			err := r.Check()
			if got := errors.Is(err, source.ErrGone); got != tt.gone {
				t.Errorf("Check(): got %v, want gone %v", err, tt.gone)
			}
		})
	}
}

func TestAdoptWaitsForTheSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "src")
	r := source.New(path)
	if err := r.Adopt(); !errors.Is(err, source.ErrGone) {
		t.Errorf("Adopt of a missing directory: got %v, want ErrGone", err)
	}
	if r.Adopted() {
		t.Error("Adopted() after a failed Adopt: got true")
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Adopt(); err != nil {
		t.Errorf("Adopt: %v", err)
	}
	if err := r.Check(); err != nil {
		t.Errorf("Check after Adopt: %v", err)
	}
}

// must ends the test on an error of its own making.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
