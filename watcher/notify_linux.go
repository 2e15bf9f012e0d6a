package watcher

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rjeczalik/notify"
	"golang.org/x/sys/unix"

	"inosyncd/internal/source"
)

// notifyReconcile is how often the notify backend compares everything: the
// library drops events without a word, its own and those of a kernel queue
// that overflowed. Tests shorten it.
var notifyReconcile = 2 * time.Minute

// notifyQueue is how many events wait for the reader before the library drops
// them; a full queue is taken for a loss.
const notifyQueue = 16384

// startNotify starts the backend on rjeczalik/notify: raw inotify masks, in no
// order and without a promise that they come at all. Paths are hints and need
// no order. All its watchers share one inotify descriptor, which the library
// keeps with four goroutines until the process ends. Close takes time that
// grows with the square of the directories watched; the library also remembers
// every path that it ever watched. So this is for small trees, and for
// comparing backends.
func startNotify(ctx context.Context, o Options) (Watcher, error) {
	base, err := filepath.EvalSymlinks(o.Root.Path())
	if err != nil {
		return nil, fmt.Errorf("watching %q: %w: %w", o.Root.Path(), source.ErrGone, err)
	}
	const follow = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
		unix.IN_CLOSE_WRITE
	lib := &notifyLib{
		base: base, hints: newHints(),
		mask:   notify.Event(o.Mask&unix.IN_ALL_EVENTS | follow),
		events: make(chan notify.EventInfo, notifyQueue),
		nudge:  make(chan notify.EventInfo),
		known:  make(map[string]bool),
	}
	lib.wg.Go(lib.read)
	p := newPortable(o, base, lib.hints, lib)
	p.reconcile, p.writing = notifyReconcile, isBeingWritten
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// isBeingWritten reports whether path is a regular file that somebody writes,
// whose close is therefore still to come. That is asked and not concluded from
// a missing IN_CLOSE_WRITE, which may have come before its IN_CREATE.
func isBeingWritten(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && fi.Mode().IsRegular() && hasWriter(unix.AT_FDCWD, path)
}

// notifyLib watches through the one global tree of the library.
//
// That tree keeps a path after its directory is gone and takes a second Watch
// of it for done, so the successor of a removed directory would never be
// watched. What makes it go to the kernel again is an event that the path was
// not watched for. A known path is therefore watched for notify.Create on a
// second channel, which nobody reads: the library's portable event for the
// kernel's bits that are watched already. The kernel then answers with the
// watch of what is there now, and the library takes path for its name, which
// is also what corrects the names of a directory that was moved. When that
// event is used up, Stop of the second channel makes it new for all paths.
type notifyLib struct {
	base   string
	hints  *hints
	mask   notify.Event
	events chan notify.EventInfo
	nudge  chan notify.EventInfo
	known  map[string]bool // paths watched; true: for nudge as well
	wg     sync.WaitGroup  // read
}

func (l *notifyLib) add(path string) error {
	nudged, known := l.known[path]
	if nudged {
		l.settle()
	}
	mask := l.mask
	if path == l.base {
		mask |= notify.InDeleteSelf | notify.InMoveSelf
	}
	// The library reads a trailing "..." as "and all below"; it cleans what
	// hides it.
	name := path + "/."
	if err := notify.Watch(name, l.events, mask); err != nil {
		return err
	}
	l.known[path] = known
	if !known {
		return nil
	}
	return notify.Watch(name, l.nudge, notify.Create)
}

// settle ends the nudges of all paths.
func (l *notifyLib) settle() {
	notify.Stop(l.nudge)
	for path := range l.known {
		l.known[path] = false
	}
}

// drop leaves the watch where it is: to end it would cost a walk through the
// library's tree for each directory. The kernel ends it with the directory;
// events of one that was moved out only make somebody look.
func (l *notifyLib) drop(string) {}

// reset has nothing to do: to add a path again is to watch it anew.
func (l *notifyLib) reset() error { return nil }

func (l *notifyLib) close() {
	l.settle()
	notify.Stop(l.events) // nothing is sent to it any more
	close(l.events)
	l.wg.Wait()
}

// read never waits for anything but its lock, so that the queue stays short.
func (l *notifyLib) read() {
	for ev := range l.events {
		if len(l.events) >= cap(l.events)-1 { // it was full before this one
			l.hints.lose()
		}
		path, inside := strings.CutPrefix(ev.Path(), l.base)
		sys, ok := ev.Sys().(*unix.InotifyEvent)
		if ok && inside {
			l.hints.add(strings.TrimLeft(path, "/"), sys.Mask)
		}
	}
}
