package watcher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/filter"
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

// poll reports whether ok comes true within some seconds.
func poll(ok func() bool) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

func TestLibrariesFollowDirectories(t *testing.T) {
	tests := []struct {
		name   string
		before []string // directories
		do     func(r *rig)
		want   []string // paths that events cover
	}{
		{"a file", nil, func(r *rig) { r.write("f") }, []string{"f"}},
		{"a chain of new directories", nil, func(r *rig) {
			r.mkdir("a/b/c/d")
			r.write("a/b/c/d/f")
		}, []string{"a", "a/b/c/d/f"}},
		{"a name that ends in dots", []string{"d...", "..."}, func(r *rig) {
			r.write("d.../f")
			r.write(".../f")
		}, []string{"d.../f", ".../f"}},
		{"renamed", []string{"a/b"}, func(r *rig) { r.rename("a", "c") }, []string{"a", "c/b"}},
		{"renamed and back", []string{"a/b"}, func(r *rig) {
			r.rename("a", "c")
			r.rename("c", "a")
		}, []string{"a/b"}},
		{"renamed and made again", []string{"a/b"}, func(r *rig) {
			r.rename("a", "c")
			r.mkdir("a/b")
		}, []string{"a/b", "c/b"}},
		{"removed and made again", []string{"a/b"}, func(r *rig) {
			for range 10 {
				r.remove("a")
				r.mkdir("a/b")
			}
		}, []string{"a/b"}},
		{"exchanged", []string{"a/x", "b/y"}, func(r *rig) {
			r.must(unix.Renameat2(unix.AT_FDCWD, r.path("a"), unix.AT_FDCWD, r.path("b"), unix.RENAME_EXCHANGE))
		}, []string{"a/y", "b/x"}},
		{"moved down into its successor", []string{"a/k", "n"}, func(r *rig) {
			r.rename("a", "n/k")
			r.rename("n", "a")
		}, []string{"a/k/k"}},
		{"moved in", nil, func(r *rig) {
			r.mkdir("../out/x/y")
			r.rename("../out/x", "x")
		}, []string{"x/y"}},
		{"moved out", []string{"x/y", "z"}, func(r *rig) { r.rename("x", "../x") }, []string{"x"}},
		{"replaced by a file", []string{"x/y"}, func(r *rig) {
			r.remove("x")
			r.write("x")
		}, []string{"x"}},
		{"replaced by a link", []string{"x/y", "z"}, func(r *rig) {
			r.remove("x")
			r.must(os.Symlink("z", r.path("x")))
		}, []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onLibraries(t, func(_ *testing.T, r *rig) {
				for _, dir := range tt.before {
					r.mkdir(dir)
				}
				r.watch(nil)
				tt.do(r)
				r.wantCovered(tt.want...)
				r.writeEverywhere("w1")
				r.writeEverywhere("w2")
			})
		})
	}
}

// TestLibrariesKeepUpWithChaos makes, renames, moves and removes directories
// at random and wants the tree to be the real one when that is over.
func TestLibrariesKeepUpWithChaos(t *testing.T) {
	const rounds, steps = 4, 150
	onLibraries(t, func(t *testing.T, r *rig) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		name := func() string { return string(rune('a' + rng.IntN(4))) }
		out := filepath.Join(filepath.Dir(r.root), "out")
		r.mkdir("../out")
		r.watch(nil)
		for round := range rounds {
			for range steps {
				dirs := r.dirs()
				from, to := dirs[rng.IntN(len(dirs))], join(dirs[rng.IntN(len(dirs))], name())
				switch n := rng.IntN(10); {
				case n < 5:
					_ = os.Mkdir(r.path(to), 0o755)
				case from == "":
				case n < 7:
					_ = os.Rename(r.path(from), r.path(to))
				case n < 8:
					_ = os.Rename(r.path(from), filepath.Join(out, name()))
				case n < 9:
					_ = os.Rename(filepath.Join(out, name()), r.path(to))
				default:
					_ = os.RemoveAll(r.path(from))
				}
			}
			r.writeEverywhere(fmt.Sprintf("w%d", round))
		}
		r.must(r.w.Close())
		if diff := cmp.Diff(r.dirs(), watched(r.w)); diff != "" {
			t.Errorf("directories that are watched (-want +got):\n%s", diff)
		}
		if gaps := r.w.Stats().Gaps; gaps != 0 {
			t.Errorf("Stats().Gaps: got %d, want 0: nothing was to be lost", gaps)
		}
	})
}

// watched are the directories in the tree of a closed watcher.
func watched(p *portable) []string {
	var paths []string
	for _, d := range p.dirs.owners {
		paths = append(paths, p.dirs.rel(d))
	}
	slices.SortFunc(paths, func(a, b string) int { return slices.Compare(split(a), split(b)) })
	return paths
}

func TestLibrariesLeaveOutWhatIsExcluded(t *testing.T) {
	rules, err := filter.Parse([]filter.Line{{Text: "/skip/"}, {Text: "*.swp"}})
	if err != nil {
		t.Fatal(err)
	}
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("skip/a/b")
		r.watch(func(o *Options) { o.Rules = rules })
		r.mkdir("keep/skip")
		r.mkdir("skip/c")
		r.write("skip/f")
		r.write("f.swp")
		r.write("keep/f.swp")
		r.write("keep/skip/f")
		r.wantCovered("keep/skip/f")
		if !poll(func() bool { return r.w.Stats().Watches == 3 }) {
			t.Errorf("Stats().Watches: got %d, want the root, keep and keep/skip", r.w.Stats().Watches)
		}
		r.must(r.w.Close())
		for _, ev := range r.events {
			if rules.Excluded(ev.Path, false) || rules.Excluded(ev.Path, true) {
				t.Errorf("an event about %q, which is excluded", ev.Path)
			}
		}
	})
}

func TestLibrariesWithoutRecursion(t *testing.T) {
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("a")
		r.watch(func(o *Options) { o.Recursive = false })
		r.write("a/f")
		r.mkdir("b")
		r.write("b/f")
		r.write("last")
		r.wantCovered("b", "last")
		if got := r.w.Stats().Watches; got != 1 {
			t.Errorf("Stats().Watches: got %d, want 1", got)
		}
		if got := r.missing("a/f", "b/f"); len(got) != 2 {
			t.Errorf("paths below the root that no event covers: got %q, want both", got)
		}
	})
}

func TestLibrariesEndWithTheRoot(t *testing.T) {
	for name, do := range map[string]func(r *rig){
		"removed":      func(r *rig) { r.remove("") },
		"renamed":      func(r *rig) { r.rename("", "../other") },
		"replaced":     func(r *rig) { r.rename("", "../other"); r.mkdir("") },
		"parent moved": func(r *rig) { r.rename("..", "../../moved") },
	} {
		t.Run(name, func(t *testing.T) {
			every := never // but where no event can tell
			if name == "parent moved" {
				every = 20 * time.Millisecond
			}
			shorten(t, &rootEvery, every)
			onLibraries(t, func(t *testing.T, r *rig) {
				r.mkdir("a")
				r.watch(nil)
				do(r)
				select {
				case <-r.w.Done():
				case <-time.After(10 * time.Second):
					t.Fatal("Done() is not closed")
				}
				if err := r.w.Err(); !errors.Is(err, source.ErrGone) {
					t.Errorf("Err(): got %v, want %v", err, source.ErrGone)
				}
			})
		})
	}
}

func TestLibrariesReconcile(t *testing.T) {
	for _, lib := range libraries {
		shorten(t, lib.reconcile, 10*time.Millisecond)
	}
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("a")
		r.watch(nil)
		r.wantCovered("any/thing")
		if got := r.w.Stats(); got.Gaps == 0 || got.Overflows != 0 {
			t.Errorf("Stats(): got %+v, want gaps without overflows", got)
		}
		r.must(r.w.Close())
		if diff := cmp.Diff(r.dirs(), watched(r.w)); diff != "" {
			t.Errorf("directories that are watched (-want +got):\n%s", diff)
		}
	})
}

// TestLibrariesTellALoss has the library report a loss and wants everything to
// be compared, and watched anew.
func TestLibrariesTellALoss(t *testing.T) {
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("a/b")
		r.watch(nil)
		r.w.hints.lose()
		r.wantCovered("any/thing")
		if got := r.w.Stats(); got.Gaps != 1 || got.Overflows != 1 {
			t.Errorf("Stats(): got %+v, want one gap and one overflow", got)
		}
		r.writeEverywhere("w")
	})
}

// TestNotifyHoldsWhatIsWritten makes a file, lets the event come, and closes
// it then: the first event says that it is being written, the last does not.
func TestNotifyHoldsWhatIsWritten(t *testing.T) {
	r := &rig{t: t, root: t.TempDir(), start: startNotify}
	r.watch(nil)
	f, err := os.Create(r.path("f"))
	r.must(err)
	if !poll(func() bool { return r.has(func(ev change.Event) bool { return ev.Path == "f" && ev.Writing }) }) {
		t.Error("no event says that f is being written")
	}
	r.must(f.Close())
	if !poll(func() bool {
		return r.has(func(ev change.Event) bool { return ev.Mask&bitCloseWrite != 0 && !ev.Writing })
	}) {
		t.Error("no event says that f was closed")
	}
}

// TestFsnotifyMask wants every operation under the names of inotify(7).
func TestFsnotifyMask(t *testing.T) {
	tests := []struct {
		op         fsnotify.Op
		want, root uint32
	}{
		{fsnotify.Create, unix.IN_CREATE, 0},
		{fsnotify.Write, unix.IN_MODIFY | unix.IN_CLOSE_WRITE, 0},
		{fsnotify.Remove, unix.IN_DELETE, unix.IN_DELETE_SELF},
		{fsnotify.Rename, unix.IN_MOVED_FROM, unix.IN_MOVE_SELF},
		{fsnotify.Chmod, unix.IN_ATTRIB, unix.IN_ATTRIB},
		{fsnotify.Create | fsnotify.Chmod, unix.IN_CREATE | unix.IN_ATTRIB, unix.IN_ATTRIB},
	}
	for _, tt := range tests {
		if got := fsnotifyMask(tt.op, false); got != tt.want {
			t.Errorf("fsnotifyMask(%v, false): got %#x, want %#x", tt.op, got, tt.want)
		}
		if got := fsnotifyMask(tt.op, true); got != tt.root {
			t.Errorf("fsnotifyMask(%v, true): got %#x, want %#x", tt.op, got, tt.root)
		}
	}
	if bitIsDir != unix.IN_ISDIR {
		t.Errorf("bitIsDir: got %#x, want %#x", bitIsDir, unix.IN_ISDIR)
	}
}

func TestHintsAreBounded(t *testing.T) {
	h := newHints()
	for i := range maxHints {
		h.add(fmt.Sprint(i), bitCreate)
	}
	h.add("0", bitDelete)
	if masks, lost := h.take(); lost || len(masks) != maxHints || masks["0"] != bitCreate|bitDelete {
		t.Errorf("take(): got %d hints, lost %v, %#x for one path; want %d and none lost", len(masks), lost, masks["0"], maxHints)
	}
	for i := range maxHints + 2 {
		h.add(fmt.Sprint(i), bitCreate)
	}
	if masks, lost := h.take(); !lost || len(masks) != 0 {
		t.Errorf("take() past the bound: got %d hints, lost %v, want the loss alone", len(masks), lost)
	}
	if _, lost := h.take(); lost {
		t.Error("take() after that: got the same loss again")
	}
	if events, overflows := h.counts(); events != 2*maxHints+3 || overflows != 1 {
		t.Errorf("counts(): got %d events and %d overflows, want %d and 1", events, overflows, 2*maxHints+3)
	}
}
