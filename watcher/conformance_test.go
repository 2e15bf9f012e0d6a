package watcher

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/filter"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

// The conformance suite: what every backend is held to. It is made of event
// scripts (script_test.go), storms (storm_test.go) and random histories
// (history_test.go), and decides by what a change.Set of the emitted events
// covers. Nothing waits for time: a step is over when the event of a cookie,
// a file made after it, is there.

type starter = func(context.Context, Options) (Watcher, error)

// subject is a backend under test and what is expected of it.
type subject struct {
	name  string
	start starter

	// exact: every event comes as the kernel reports it, and nothing is
	// ever missed. Otherwise the backend covers every change at last, by
	// comparing, and its events are only looked at for what they cover.
	exact bool

	// reconcile is how often it compares; the suite shortens it.
	reconcile *time.Duration
}

var subjects = []subject{
	{name: "inotify", start: startInotify, exact: true},
	{name: "fsnotify", start: startFsnotify, reconcile: &fsnotifyReconcile},
	{name: "notify", start: startNotify, reconcile: &notifyReconcile},
}

// onEvery runs test for every backend.
func onEvery(t *testing.T, test func(t *testing.T, s subject)) {
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			if s.reconcile != nil {
				shorten(t, s.reconcile, time.Second)
			}
			test(t, s)
		})
	}
}

const usualMask = unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVE | unix.IN_ATTRIB

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(string, ...any)
	Logf(string, ...any)
}

// trial is a watcher of a directory and what it has emitted.
type trial struct {
	t       failer
	dir     string // the root is dir/root; what is beside it is not watched
	w       Watcher
	cookies int

	mu     sync.Mutex
	events []change.Event       // guarded by mu, like what follows
	set    *change.Set          // what events cover
	last   map[string]time.Time // when an event for a path came last
	below  map[string]time.Time // and one with AllBelow

	writes []write // that are still to be covered
}

// write is a file that was written, and when that began. Only an event that
// came later leads to its content.
type write struct {
	path string
	at   time.Time
}

// newTrial makes the root, in which prepare may make something, and watches.
func newTrial(t failer, dir string, start starter, o Options, prepare func(*trial)) *trial {
	t.Helper()
	tr := &trial{t: t, dir: dir}
	tr.take()
	tr.must(os.MkdirAll(tr.path(""), 0o755))
	if prepare != nil {
		prepare(tr)
	}
	o.Root = adopted(t, tr.path(""))
	o.Emit = tr.emit
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Mask == 0 {
		o.Mask = usualMask
	}
	w, err := start(context.Background(), o)
	tr.must(err)
	tr.w = w
	return tr
}

func (tr *trial) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatalf("%v", err)
	}
}

func (tr *trial) path(rel string) string { return filepath.Join(tr.dir, "root", rel) }

func (tr *trial) emit(ev change.Event) {
	m := change.Itself
	if ev.AllBelow {
		m = change.AllBelow
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now := time.Now()
	tr.events = append(tr.events, ev)
	tr.set.Add(ev.Path, m, now)
	tr.last[ev.Path] = now
	if ev.AllBelow {
		tr.below[ev.Path] = now
	}
}

// take returns the events so far and forgets them.
func (tr *trial) take() []change.Event {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	events := tr.events
	tr.events, tr.set = nil, change.New(0)
	tr.last, tr.below = map[string]time.Time{}, map[string]time.Time{}
	return events
}

func (tr *trial) covers(path string) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.set.Covers(path)
}

// eventually waits until ok, and says what it waited for if that never comes.
func (tr *trial) eventually(what string, ok func() bool) {
	tr.t.Helper()
	for deadline := time.Now().Add(labtest.Limit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tr.t.Fatalf("waited in vain for %s; Stats(): got %+v", what, tr.w.Stats())
		}
	}
}

// barrier returns when everything that was done before has been emitted. The
// second cookie is for what a backend does after the events that came together
// with the first.
func (tr *trial) barrier() {
	tr.t.Helper()
	for range 2 {
		tr.cookies++
		name := fmt.Sprintf("cookie%d", tr.cookies)
		tr.must(os.WriteFile(tr.path(name), nil, 0o600))
		tr.eventually("an event of "+name, func() bool { return tr.covers(name) })
		tr.must(os.Remove(tr.path(name)))
	}
}

// isCookie tells the events of the barrier from the others.
func isCookie(ev change.Event) bool { return strings.HasPrefix(ev.Path, "cookie") }

// wantCovered waits until every path is covered by what was emitted.
func (tr *trial) wantCovered(paths []string) {
	tr.t.Helper()
	for _, path := range paths {
		tr.eventually(fmt.Sprintf("an event that covers %q", path), func() bool { return tr.covers(path) })
	}
}

// directories are those of the root, which is "".
func (tr *trial) directories() []string {
	var dirs []string
	tr.must(filepath.WalkDir(tr.path(""), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, strings.TrimPrefix(strings.TrimPrefix(path, tr.path("")), "/"))
		}
		return err
	}))
	return dirs
}

// write writes a file, which wantWrites wants to hear of. It reports whether
// it could.
func (tr *trial) write(path string) bool {
	at := time.Now()
	if err := os.WriteFile(tr.path(path), []byte("text"), 0o600); err != nil {
		return false
	}
	tr.writes = append(tr.writes, write{path, at})
	return true
}

// wantWrites waits until every write is covered by an event that came later.
func (tr *trial) wantWrites() {
	tr.t.Helper()
	for _, w := range tr.writes {
		tr.eventually(fmt.Sprintf("an event of the write to %q", w.path), func() bool { return tr.heardOf(w) })
	}
	tr.writes = nil
}

func (tr *trial) heardOf(w write) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !tr.last[w.path].Before(w.at) || !tr.below[""].Before(w.at) {
		return true
	}
	for dir := w.path; dir != "."; dir = filepath.Dir(dir) {
		if !tr.below[dir].Before(w.at) {
			return true
		}
	}
	return false
}

// wantAllWatched waits until there are as many watches as directories, and
// then writes into each and wants to hear of it.
func (tr *trial) wantAllWatched() {
	tr.t.Helper()
	dirs := tr.directories()
	tr.wantWatches(len(dirs))
	for _, dir := range dirs {
		if !tr.write(filepath.Join(dir, "written")) {
			tr.t.Fatalf("cannot write in %q", dir)
		}
	}
	tr.wantWrites()
}

func (tr *trial) wantWatches(n int) {
	tr.t.Helper()
	tr.eventually(fmt.Sprintf("%d watches", n), func() bool { return tr.w.Stats().Watches == n })
}

// close ends the watcher and finds what it has left behind: goroutines,
// descriptors, and events.
func (tr *trial) close() {
	tr.t.Helper()
	tr.must(tr.w.Close())
	tr.must(tr.w.Close())
	tr.take()
	_ = os.WriteFile(tr.path("afterwards"), nil, 0o600)
	if late := tr.take(); len(late) > 0 {
		tr.t.Fatalf("emitted after Close: %v", late)
	}
}

// descriptors are the open files of this process that have to do with
// watching, or with dir.
func descriptors(t failer, dir string) (open []string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, fd := range fds {
		link, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		if link == "anon_inode:inotify" || strings.HasPrefix(link, dir) {
			open = append(open, link)
		}
	}
	return open
}

// adopted returns the root at path.
func adopted(t failer, path string) *source.Root {
	t.Helper()
	root := source.New(path)
	if err := root.Adopt(); err != nil {
		t.Fatalf("%v", err)
	}
	return root
}

// rules are exclude patterns.
func rules(t failer, patterns ...string) *filter.Rules {
	t.Helper()
	lines := make([]filter.Line, len(patterns))
	for i, p := range patterns {
		lines[i] = filter.Line{Text: p}
	}
	r, err := filter.Parse(lines)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return r
}
