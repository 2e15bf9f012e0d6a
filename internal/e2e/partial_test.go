package e2e_test

import (
	"os"
	"testing"
)

// TestPartialFilesAreInNobodysWay has directories on the node in which an
// earlier push, ended in the middle, has left a partial file. They have to go
// like any other.
func TestPartialFilesAreInNobodysWay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
	}{
		{"removed", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }},
		{"replaced by a file", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			write(t, dir, "now a file")
		}},
		{"replaced by a link", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir), os.Symlink("elsewhere", dir))
		}},
		{"moved", func(t *testing.T, dir string) { must(t, os.Rename(dir, dir+"2")) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			n := s.local("local")
			must(t, os.Mkdir(s.path("d"), 0o755))
			write(t, s.path("d/file"), "f")
			s.startSynced(s.config("", n), n)
			holds(t, n.dst+"/d/file", "f")

			must(t, os.MkdirAll(n.dst+"/d/.inosyncd-partial", 0o700))
			write(t, n.dst+"/d/.inosyncd-partial/gone", "part of what is gone")
			tt.change(t, s.path("d"))
			s.same(n)
		})
	}
}
