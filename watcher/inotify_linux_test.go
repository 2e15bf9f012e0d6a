package watcher

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// startShort is the inotify backend with the times of shortTiming.
func startShort(ctx context.Context, o Options) (Watcher, error) {
	fd, err := initInotify()
	if err != nil {
		return nil, err
	}
	return runInotify(ctx, o, fd, shortTiming())
}

// shortTiming has no wait that a test would notice.
func shortTiming() timing {
	return timing{
		limbo:  5 * time.Millisecond,
		retry:  20 * time.Millisecond,
		second: 20 * time.Millisecond,
		pace:   time.Millisecond,
		queue:  queueLimit,
	}
}

// startWithQueue is the inotify backend with a kernel queue of that many
// events, 0 for what it is. The limit is the whole machine's, but only read
// when a descriptor is made, so it is set for as short a time as that takes.
func startWithQueue(ctx context.Context, t *testing.T, o Options, events int, times timing) (Watcher, error) {
	const limit = "/proc/sys/fs/inotify/max_queued_events"
	restore := func() {}
	if events > 0 {
		was, err := os.ReadFile(limit)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(limit, []byte(strconv.Itoa(events)), 0); err != nil {
			t.Skipf("needs to be root to set %s: %v", limit, err)
		}
		restore = func() {
			if err := os.WriteFile(limit, was, 0); err != nil {
				t.Errorf("restoring %s: %v", limit, err)
			}
		}
	}
	fd, err := initInotify()
	restore()
	if err != nil {
		return nil, err
	}
	return runInotify(ctx, o, fd, times)
}

// has reports whether an event like ev was emitted.
func (tr *trial) has(ev change.Event) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Contains(tr.events, ev)
}

// A path of 1,500 times "deep/" is longer than a system call takes.
const deepest = 1500

func TestDeepTree(t *testing.T) {
	// The descent is to need few descriptors.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := func(ctx context.Context, o Options) (Watcher, error) {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 256, Max: limit.Max}); err != nil {
			return nil, err
		}
		defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) }()
		return startShort(ctx, o)
	}
	tr := newTrial(t, t.TempDir(), few, Options{Recursive: true}, func(tr *trial) {
		fd, err := openPath([]byte(tr.path("")))
		tr.must(err)
		for range deepest {
			tr.must(unix.Mkdirat(fd, "deep", 0o755))
			tr.must(unix.Mkdirat(fd, "side", 0o755))
			next, err := openAt(fd, "deep", unix.O_PATH)
			tr.must(err)
			tr.must(unix.Close(fd))
			fd = next
		}
		tr.must(unix.Close(fd))
	})
	defer removeDeep(t, tr.path(""))
	if got, want := tr.w.Stats(), (Stats{Watches: 2*deepest + 1}); got != want {
		t.Errorf("Stats(): got %+v, want %+v", got, want)
	}
	writeDeep := func(path, name string) {
		t.Helper()
		fd, err := openPath([]byte(tr.path(path)))
		tr.must(err)
		file, err := unix.Openat(fd, name, unix.O_CREAT|unix.O_WRONLY, 0o600)
		tr.must(err)
		tr.must(unix.Close(file))
		tr.must(unix.Mkdirat(fd, name+".d", 0o755))
		tr.must(unix.Close(fd))
		tr.wantCovered([]string{path + "/" + name, path + "/" + name + ".d"})
	}
	path := strings.Repeat("/deep", deepest)[1:]
	writeDeep(path, "f")
	tr.must(os.Rename(tr.path("deep"), tr.path("moved")))
	tr.barrier()
	tr.take()
	writeDeep("moved"+strings.TrimPrefix(path, "deep"), "g")
	tr.wantWatches(2*deepest + 3) // the counts follow the events
	tr.close()
}

// removeDeep removes what is too deep for a path by making it shallow.
func removeDeep(t *testing.T, root string) {
	for {
		err := unix.Rename(root+"/moved/deep", root+"/next")
		if os.RemoveAll(root+"/moved") != nil || err != nil {
			break
		}
		if err := unix.Rename(root+"/next", root+"/moved"); err != nil {
			t.Error(err)
			break
		}
	}
}

// TestLookAgain makes files that no close follows.
func TestLookAgain(t *testing.T) {
	tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, nil)
	tr.must(unix.Mknod(tr.path("node"), unix.S_IFREG|0o600, 0))
	tr.eventually("its making", func() bool {
		return tr.has(change.Event{Path: "node", Mask: unix.IN_CREATE, Writing: true})
	})
	tr.eventually("the second look", func() bool { return tr.has(change.Event{Path: "node"}) })

	open, err := os.Create(tr.path("open"))
	tr.must(err)
	tr.must(unix.Mknod(tr.path("later"), unix.S_IFREG|0o600, 0))
	tr.eventually("the second look", func() bool { return tr.has(change.Event{Path: "later"}) })
	tr.barrier()
	if tr.has(change.Event{Path: "open"}) {
		t.Error("a file that is open was emitted as closed")
	}
	tr.must(open.Close())
	tr.barrier()
	if !tr.has(change.Event{Path: "open", Mask: unix.IN_CLOSE_WRITE}) {
		t.Error("the close was not emitted")
	}
	tr.close()
}

// TestLookAgainAfterARename renames files that no close follows.
func TestLookAgainAfterARename(t *testing.T) {
	tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, nil)
	renamed := false // after the first look, and before the second
	for i := 0; i < 1000 && !renamed; i++ {
		was, is := fmt.Sprint("a", i), fmt.Sprint("b", i)
		tr.must(unix.Mknod(tr.path(was), unix.S_IFREG|0o600, 0))
		tr.must(os.Rename(tr.path(was), tr.path(is)))
		tr.eventually("the second look", func() bool {
			renamed = tr.has(change.Event{Path: is})
			early := tr.has(change.Event{Path: was, Mask: unix.IN_CREATE})
			return renamed || early || tr.has(change.Event{Path: was})
		})
	}
	if !renamed {
		t.Error("no file was looked at a second time under its new name")
	}
	tr.close()
}

// TestHalvesOfAMove has both events of a move say that they are of one.
func TestHalvesOfAMove(t *testing.T) {
	tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, func(tr *trial) {
		tr.must(os.Mkdir(tr.path("d"), 0o755))
		tr.must(os.WriteFile(tr.path("f"), nil, 0o600))
	})
	tr.must(os.Rename(tr.path("f"), tr.path("d/f")))
	tr.must(os.Rename(tr.path("d"), tr.path("e")))
	tr.barrier()
	halves := map[uint32]string{}
	for _, ev := range tr.take() {
		if ev.Mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0 {
			halves[ev.Cookie] += " " + ev.Path
		}
	}
	got := slices.Sorted(maps.Values(halves))
	if diff := cmp.Diff([]string{" d e", " f d/f"}, got); diff != "" {
		t.Errorf("paths by cookie (-want +got):\n%s", diff)
	}
	tr.close()
}

// TestRest holds the model to asking for nothing when there is nothing to do,
// and to keeping no descriptor in the tree.
func TestRest(t *testing.T) {
	dir := t.TempDir()
	tr := newTrial(t, dir, startShort, Options{Recursive: true}, nil)
	tr.must(os.MkdirAll(tr.path("a/b/c"), 0o755))
	tr.must(os.Rename(tr.path("a/b"), tr.path("../b")))
	tr.must(os.WriteFile(tr.path("a/f"), nil, 0o600))
	tr.barrier()
	tr.wantWatches(2)
	tr.eventually("no descriptor below the root", func() bool {
		for _, link := range descriptors(t, dir) {
			if strings.HasPrefix(link, dir) {
				return false
			}
		}
		return true
	})
	tr.close()

	m := newModel(Options{}, -1, newQueue(0), &counters{}, shortTiming(), nil)
	if next := m.settle(time.Now()); !next.IsZero() {
		t.Errorf("settle() with nothing to do: got %v, want no time", next)
	}
}

// TestUnknownTypes lists as on a file system that fills in no d_type.
func TestUnknownTypes(t *testing.T) {
	tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, nil)
	defer tr.close()
	tr.must(os.Mkdir(tr.path("dir"), 0o755))
	tr.must(os.Symlink("dir", tr.path("link")))
	tr.must(os.WriteFile(tr.path("file"), nil, 0o600))
	fd, err := openPath([]byte(tr.path("")))
	tr.must(err)
	defer unix.Close(fd)
	for name, want := range map[string]bool{"dir": true, "link": false, "file": false, "none": false} {
		e := dirent{kind: unix.DT_UNKNOWN, name: []byte(name)}
		if got := e.isDir(fd); got != want {
			t.Errorf("isDir(%q): got %v, want %v", name, got, want)
		}
	}
}

func TestHasWriter(t *testing.T) {
	dir := t.TempDir()
	fd, err := openPath([]byte(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, tt := range []struct {
		flags int
		want  bool
	}{
		{os.O_RDONLY, false},
		{os.O_WRONLY, true},
		{os.O_RDWR, true},
	} {
		f, err := os.OpenFile(dir+"/f", tt.flags|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if got := hasWriter(fd, "f"); got != tt.want {
			t.Errorf("hasWriter(opened with %#x): got %v, want %v", tt.flags, got, tt.want)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if hasWriter(fd, "f") {
			t.Errorf("hasWriter(opened with %#x and closed): got true", tt.flags)
		}
	}
	if err := unix.Mkfifo(dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fifo", "none"} {
		if hasWriter(fd, name) {
			t.Errorf("hasWriter(%q): got true", name)
		}
	}
}

// TestPace holds the resyncs of a root that overflows for ever apart.
func TestPace(t *testing.T) {
	fd, err := initInotify()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	root := adopted(t, t.TempDir())
	gaps := 0
	o := Options{Root: root, Recursive: true, Emit: func(change.Event) { gaps++ }}
	times := shortTiming()
	times.pace = time.Hour
	m := newModel(o, fd, newQueue(0), &counters{}, times, nil)
	if err := m.setUp(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range 3 {
		m.overflow()
		m.settle(now)
		now = time.Now()
	}
	if gaps != 1 {
		t.Errorf("gaps after three overflows at once: got %d, want 1", gaps)
	}
	if !m.count.behind.Load() {
		t.Error("while a resync is put off: got not behind, want behind")
	}
	next := m.settle(now)
	if wait := next.Sub(now); wait < maxResyncPause/2 || wait > maxResyncPause {
		t.Errorf("settle(): got the next resync in %v, want it within %v", wait, maxResyncPause)
	}
	m.settle(next)
	if gaps != 2 {
		t.Errorf("gaps after the pause: got %d, want 2", gaps)
	}
	if m.count.behind.Load() {
		t.Error("after the last resync: got behind, want not behind")
	}
}

// TestStale is about events in a directory whose parent is away when they are
// looked at, and back when nothing more happens.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(os.MkdirAll(dir+"/a/b", 0o755))
	do(os.MkdirAll(dir+"/x/y", 0o755))
	fd, err := initInotify()
	do(err)
	defer unix.Close(fd)
	set := change.New(0)
	o := Options{Root: adopted(t, dir), Recursive: true, Emit: func(ev change.Event) {
		if ev.AllBelow {
			set.Add(ev.Path, change.AllBelow, time.Now())
		}
	}}
	m := newModel(o, fd, newQueue(0), &counters{}, shortTiming(), nil)
	do(m.setUp())
	b := m.root.kid("a").kid("b")
	do(os.Rename(dir+"/a", dir+"/c"))
	do(os.Mkdir(dir+"/c/b/new", 0o755))
	do(os.Rename(dir+"/x", dir+"/c/b/x"))
	do(os.Mkdir(dir+"/c/b/x/y/z", 0o755))
	m.handle(event{wd: b.wd, mask: unix.IN_CREATE | unix.IN_ISDIR, name: []byte("new")})
	m.handle(event{wd: m.root.wd, mask: unix.IN_MOVED_FROM | unix.IN_ISDIR, name: []byte("x")})
	m.handle(event{wd: b.wd, mask: unix.IN_MOVED_TO | unix.IN_ISDIR, name: []byte("x")})
	m.settle(time.Now())
	if b.kid("new") != nil || set.Covers("a/b/new/f") {
		t.Error("a directory was found that is not there")
	}
	if !m.count.behind.Load() {
		t.Error("while a directory could not be looked at: got not behind, want behind")
	}
	do(os.Rename(dir+"/c", dir+"/a"))
	m.settle(time.Now())
	if kid := b.kid("new"); kid == nil || kid.wd == 0 || !set.Covers("a/b/new/f") {
		t.Errorf("when its parent is back: got %+v, want it watched and covered", kid)
	}
	if m.count.behind.Load() {
		t.Error("when all was looked at: got behind, want not behind")
	}
	if got := len(m.byWd); got != 7 {
		t.Errorf("watches in the end: got %d, want 7, with what was moved and made below it", got)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x00", 15)))
	f.Add([]byte(strings.Repeat("\x01", 40)))
	f.Add(append(make([]byte, 12), 16, 0, 0, 0, 'n', 'a', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		size := 0
		for ev := range events(b) {
			size += unix.SizeofInotifyEvent + len(ev.name)
			if strings.ContainsRune(string(ev.name), 0) {
				t.Errorf("events(%q): got the name %q", b, ev.name)
			}
		}
		if size > len(b) {
			t.Errorf("events(%q): got more than there is", b)
		}
	})
}

func FuzzDirents(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x00", 30)))
	f.Add([]byte(strings.Repeat("\x14", 64)))
	f.Add([]byte(fmt.Sprintf("%016d\x18\x00\x04name\x00", 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		size := 0
		for e := range dirents(b) {
			size += direntName + len(e.name)
			if name := string(e.name); name == "." || name == ".." || strings.ContainsRune(name, 0) {
				t.Errorf("dirents(%q): got the name %q", b, name)
			}
		}
		if size > len(b) {
			t.Errorf("dirents(%q): got more than there is", b)
		}
	})
}
