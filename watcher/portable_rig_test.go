package watcher

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

// libraries are the backends on a library, by name.
var libraries = []struct {
	name      string
	start     func(context.Context, Options) (Watcher, error)
	reconcile *time.Duration
}{
	{"fsnotify", startFsnotify, &fsnotifyReconcile},
	{"notify", startNotify, &notifyReconcile},
}

func onLibraries(t *testing.T, test func(t *testing.T, r *rig)) {
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			r := &rig{t: t, root: filepath.Join(t.TempDir(), "up", "root"), start: lib.start}
			r.mkdir("")
			test(t, r)
		})
	}
}

// rig is a watcher of root and what it has said.
type rig struct {
	t     *testing.T
	root  string
	start func(context.Context, Options) (Watcher, error)
	w     *portable

	mu     sync.Mutex
	set    *change.Set
	events []change.Event
}

func (r *rig) watch(change func(*Options)) {
	r.t.Helper()
	root := source.New(r.root)
	if err := root.Adopt(); err != nil {
		r.t.Fatal(err)
	}
	o := Options{
		Root: root, Recursive: true, Mask: unix.IN_CLOSE_WRITE | unix.IN_ATTRIB,
		Log: slog.New(slog.NewTextHandler(r.t.Output(), nil)), Emit: r.emit,
	}
	if change != nil {
		change(&o)
	}
	r.forget()
	w, err := r.start(r.t.Context(), o)
	if err != nil {
		r.t.Fatalf("start: %v", err)
	}
	r.w = w.(*portable)
	r.t.Cleanup(func() { _ = w.Close() })
}

func (r *rig) emit(ev change.Event) {
	m := change.Itself
	if ev.AllBelow {
		m = change.AllBelow
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set.Add(ev.Path, m, time.Now())
	r.events = append(r.events, ev)
}

func (r *rig) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set, r.events = change.New(0), nil
}

// has reports whether an event was emitted that ok accepts.
func (r *rig) has(ok func(change.Event) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.events, ok)
}

// missing returns those of paths that no event has covered.
func (r *rig) missing(paths ...string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(paths), r.set.Covers)
}

func (r *rig) wantCovered(paths ...string) {
	r.t.Helper()
	if !poll(func() bool { return len(r.missing(paths...)) == 0 }) {
		r.t.Fatalf("no event covers %q", r.missing(paths...))
	}
}

// settle waits until no more events come and as many directories are watched
// as there are.
func (r *rig) settle() {
	r.t.Helper()
	var last Stats
	quiet := 0
	if !poll(func() bool {
		was := last
		last = r.w.Stats()
		if quiet++; last != was || last.Watches != len(r.dirs()) {
			quiet = 0
		}
		return quiet == 3
	}) {
		r.t.Fatalf("Stats(): got %+v, want %d watches and rest", last, len(r.dirs()))
	}
}

// dirs are the directories that there are, the root as "".
func (r *rig) dirs() []string {
	var dirs []string
	_ = filepath.WalkDir(r.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path[min(len(path), len(r.root)+1):])
		}
		return err
	})
	return dirs
}

// writeEverywhere writes a file into every directory and wants to hear of it.
func (r *rig) writeEverywhere(name string) {
	r.t.Helper()
	r.settle()
	r.forget()
	var files []string
	for _, dir := range r.dirs() {
		files = append(files, join(dir, name))
		r.write(join(dir, name))
	}
	r.wantCovered(files...)
}

func (r *rig) path(rel string) string { return filepath.Join(r.root, rel) }

func (r *rig) mkdir(rel string) {
	r.t.Helper()
	r.must(os.MkdirAll(r.path(rel), 0o755))
}

func (r *rig) write(rel string) {
	r.t.Helper()
	r.must(os.WriteFile(r.path(rel), []byte("x"), 0o644))
}

func (r *rig) rename(from, to string) {
	r.t.Helper()
	r.must(os.Rename(r.path(from), r.path(to)))
}

func (r *rig) remove(rel string) {
	r.t.Helper()
	r.must(os.RemoveAll(r.path(rel)))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// shorten sets a time until the test is over, which may also be longer.
func shorten(t *testing.T, d *time.Duration, to time.Duration) {
	was := *d
	*d = to
	t.Cleanup(func() { *d = was })
}

// poll reports whether ok comes true within labtest.Limit.
func poll(ok func() bool) bool {
	for end := time.Now().Add(labtest.Limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}
