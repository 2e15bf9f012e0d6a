package watcher

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/source"
)

// fakeLibrary watches nothing and keeps the paths it is asked to watch.
type fakeLibrary struct {
	watched map[string]bool
	onAdd   func(path string) error // may be nil
}

func (l *fakeLibrary) add(path string) error {
	if l.onAdd != nil {
		if err := l.onAdd(path); err != nil {
			return err
		}
	}
	l.watched[path] = true
	return nil
}

func (l *fakeLibrary) drop(path string) { delete(l.watched, path) }
func (l *fakeLibrary) reset() error     { clear(l.watched); return nil }
func (l *fakeLibrary) close()           {}

// fakeTree is a tree of the directories in base, which are made.
func fakeTree(t *testing.T, names ...string) (*dirs, *fakeLibrary) {
	t.Helper()
	lib := &fakeLibrary{watched: make(map[string]bool)}
	tree := &dirs{base: t.TempDir(), recursive: true, lib: lib}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(tree.base, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return tree, lib
}

// watchedPaths are the paths in watched, below base.
func watchedPaths(tree *dirs, lib *fakeLibrary) []string {
	var got []string
	for path := range lib.watched {
		got = append(got, strings.TrimPrefix(path, tree.base))
	}
	slices.Sort(got)
	return got
}

func TestDirsCountWhatIsNotWatched(t *testing.T) {
	tree, lib := fakeTree(t, "a/b", "c")
	lib.onAdd = func(path string) error {
		if strings.HasPrefix(path, tree.base+"/a") {
			return syscall.ENOSPC
		}
		return nil
	}
	tree.build(t.Context())
	if diff := cmp.Diff([]string{"", "/c"}, watchedPaths(tree, lib)); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
	if tree.missed != 2 || len(tree.owners) != 2 || !errors.Is(tree.err, syscall.ENOSPC) {
		t.Errorf("got %d missed, %d owners, error %v; want 2, 2 and %v", tree.missed, len(tree.owners), tree.err, syscall.ENOSPC)
	}
	lib.onAdd = nil
	tree.refresh(t.Context(), "a")
	if tree.missed != 0 || len(tree.owners) != 4 {
		t.Errorf("after another try: got %d missed, %d owners, want 0 and 4", tree.missed, len(tree.owners))
	}
}

// TestDirsConfirmAWatch exchanges a directory while it is being watched.
func TestDirsConfirmAWatch(t *testing.T) {
	tests := []struct {
		name      string
		exchanges int
		missed    int
		watched   []string
	}{
		{"once", 1, 0, []string{"", "/a", "/a/y"}},
		{"all the time", 1000, 1, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree, lib := fakeTree(t, "a/x")
			other := filepath.Join(t.TempDir(), "a")
			if err := os.MkdirAll(other+"/y", 0o755); err != nil {
				t.Fatal(err)
			}
			left := tt.exchanges
			lib.onAdd = func(path string) error {
				if path != filepath.Join(tree.base, "a") || left == 0 {
					return nil
				}
				left--
				return unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
			}
			tree.build(t.Context())
			if diff := cmp.Diff(tt.watched, watchedPaths(tree, lib)); diff != "" {
				t.Errorf("watched (-want +got):\n%s", diff)
			}
			if tree.missed != tt.missed {
				t.Errorf("missed: got %d, want %d", tree.missed, tt.missed)
			}
		})
	}
}

// TestDirsMeetAnAncestor finds, below a directory that is no longer what the
// tree has there, the one that was.
func TestDirsMeetAnAncestor(t *testing.T) {
	tree, lib := fakeTree(t, "a/b")
	tree.build(t.Context())
	a, away := filepath.Join(tree.base, "a"), filepath.Join(t.TempDir(), "a")
	err := errors.Join(os.Rename(a, away), os.MkdirAll(a+"/b", 0o755), os.Rename(away, a+"/b/k"))
	if err != nil {
		t.Fatal(err)
	}
	tree.refresh(t.Context(), "a/b/k") // the event of a is not read yet
	tree.refresh(t.Context(), "a")
	want := []string{"", "/a", "/a/b", "/a/b/k", "/a/b/k/b"}
	if diff := cmp.Diff(want, watchedPaths(tree, lib)); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
	if tree.missed != 0 {
		t.Errorf("missed: got %d, %v, want 0", tree.missed, tree.err)
	}
}

// TestDirsWatchAnInodeOnce has a directory under two paths.
func TestDirsWatchAnInodeOnce(t *testing.T) {
	tree, lib := fakeTree(t, "a/x", "b")
	b := filepath.Join(tree.base, "b")
	if err := unix.Mount(filepath.Join(tree.base, "a"), b, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("needs root for a bind mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(b, unix.MNT_DETACH) })
	tree.build(t.Context())
	if len(lib.watched) != 3 || tree.missed != 1 || !errors.Is(tree.err, errAlias) {
		t.Errorf("got %q watched, %d missed, error %v; want the root, one of the two and x in it, and %v",
			watchedPaths(tree, lib), tree.missed, tree.err, errAlias)
	}
}

// TestPortableLogsTheLimit runs out of watches and gets some again.
func TestPortableLogsTheLimit(t *testing.T) {
	tree, lib := fakeTree(t, "a", "b")
	full := true
	lib.onAdd = func(path string) error {
		if full && path != tree.base {
			return syscall.ENOSPC
		}
		return nil
	}
	var log bytes.Buffer
	set := change.New(0)
	root := source.New(tree.base)
	if err := root.Adopt(); err != nil {
		t.Fatal(err)
	}
	p := newPortable(Options{
		Root: root, Recursive: true, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Emit: func(ev change.Event) { set.Add(ev.Path, change.AllBelow, time.Now()) },
	}, tree.base, newHints(), lib)
	p.build(t.Context())
	p.dirs.refresh(t.Context(), "a")
	p.report()
	if n := strings.Count(log.String(), "raise fs.inotify.max_user_watches"); n != 1 {
		t.Errorf("the limit is named %d times, want once, in %q", n, &log)
	}
	if got := p.Stats(); got.Watches != 1 || got.Unwatched != 2 {
		t.Errorf("Stats(): got %+v, want 1 watched and 2 not", got)
	}
	full = false
	if err := p.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := p.Stats(); got.Watches != 3 || got.Unwatched != 0 || got.Gaps != 1 {
		t.Errorf("Stats() after rebuild: got %+v, want 3 watched, none not, 1 gap", got)
	}
	if !set.IsFull() {
		t.Error("rebuild has not emitted the gap")
	}
}
