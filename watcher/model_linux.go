package watcher

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
	"inosyncd/internal/fault"
)

const (
	// structural are the events that tell of directories made, moved and
	// removed. They are watched for whatever the mask of the user.
	structural = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

	// always is what every watch has. IN_CLOSE_WRITE tells when the writer
	// of a new file is done. IN_EXCL_UNLINK is left out: it would silence
	// the files that were opened with O_TMPFILE, also after they have got a
	// name, and an event of a name that was removed does no harm.
	always = structural | unix.IN_CLOSE_WRITE | unix.IN_ONLYDIR

	// rootAlways is what the watch of the root has besides.
	rootAlways = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
)

// model is the tree of directories as far as it is known, and what makes it
// agree with the real one. It belongs to one goroutine.
//
// The file system is always ahead of the events that tell of it, so an event
// is never followed as an instruction. (wd, name) says: look what is called
// name now in the directory that has this watch. Whatever happened in between,
// the events of it are still to come and will each be looked at in the same
// way, so that the tree has become right when the last one is through.
type model struct {
	o     Options
	fd    int // the inotify descriptor
	mask  uint32
	queue *queue
	count *counters
	times timing
	quit  <-chan struct{} // closed to end the model
	alive alive.Asks      // answered in every turn and in long work

	root    *node
	byWd    map[int32]*node // every node that has a watch
	running bool            // false while the first watches are set

	limbo     map[*node]time.Time         // cut off the tree; forgotten at this time
	stale     map[*node]struct{}          // could not be looked at where the tree has them
	unwatched map[*node]struct{}          // have no watch
	nameless  map[*node]map[uint64]uint32 // see nameless_linux.go
	unclosed  map[entry]time.Time         // see writing_linux.go
	onTheMove move                        // see renamed
	writing   []change.Event              // emitted once the directories above are
	resyncAt  time.Time                   // when all is to be listed again; zero: not
	retryAt   time.Time                   // when unwatched and stale are; zero: not
	noResync  time.Time                   // no resync before this
	exhausted bool                        // the limit of watches was hit
	told      bool                        // and that was logged
	marks     marks                       // see sync_linux.go
	gone      error                       // why the model ends

	here   *node // the directory of hereFd; see at
	hereFd int

	sent    uint64 // events emitted
	path    []byte // see relative
	dirents []byte // see list
}

// entry is a name in a directory.
type entry struct {
	dir  *node
	name string
}

func newModel(o Options, fd int, q *queue, count *counters, times timing, quit <-chan struct{}) *model {
	return &model{
		o: o, fd: fd, queue: q, count: count, times: times, quit: quit,
		alive:     alive.New(),
		mask:      o.Mask&unix.IN_ALL_EVENTS | always,
		root:      &node{},
		byWd:      map[int32]*node{},
		limbo:     map[*node]time.Time{},
		stale:     map[*node]struct{}{},
		unwatched: map[*node]struct{}{},
		nameless:  map[*node]map[uint64]uint32{},
		unclosed:  map[entry]time.Time{},
		marks:     newMarks(),
		dirents:   make([]byte, 32<<10),
	}
}

// setUp sets the first watches.
func (m *model) setUp() error {
	if err := m.listAll(); err != nil {
		return err
	}
	m.running = true
	m.publish()
	return nil
}

// run emits until the model is told to quit, which is no error, or the root is
// gone.
func (m *model) run() error {
	defer m.leave()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-m.quit:
			return nil
		case <-timer.C:
		case <-m.queue.ready:
		case <-m.alive:
		case answer := <-m.marks.asks:
			m.mark(answer)
		}
		chunks, lost, err := m.queue.take()
		before := m.sent
		for _, chunk := range chunks {
			for ev := range events(chunk) {
				m.alive.Answer()
				m.handle(ev)
				fault.Point("watcher: tree updated")
			}
			if m.quitting() {
				return nil
			}
		}
		if lost {
			m.overflow()
		}
		if err != nil {
			return err
		}
		next := m.settle(time.Now())
		if len(chunks) > 0 {
			m.queue.dull.Store(m.sent == before)
		}
		switch {
		case m.quitting():
			return nil
		case m.gone != nil:
			return m.gone
		case next.IsZero():
			timer.Stop()
		default:
			timer.Reset(time.Until(next))
		}
	}
}

// quitting reports whether the model is to end. Whoever asks is in the middle
// of work, and shows that it goes on.
func (m *model) quitting() bool {
	m.alive.Answer()
	select {
	case <-m.quit:
		return true
	default:
		return false
	}
}

// settle does what is better done for many events together, and what is due.
// It returns when it wants to be called again, zero for not before an event.
func (m *model) settle(now time.Time) time.Time {
	m.findNameless()
	m.listStale()
	m.resync(now)
	next := earliest(m.expire(now), m.lookAgain(now), m.retry(now))
	next = earliest(next, m.resyncAt)
	m.leave()
	m.publish()
	if m.resyncAt.IsZero() {
		m.marks.answer()
	}
	return next
}

func earliest(times ...time.Time) (t time.Time) {
	for _, u := range times {
		if t.IsZero() || !u.IsZero() && u.Before(t) {
			t = u
		}
	}
	return t
}

func (m *model) publish() {
	m.count.watches.Store(int64(len(m.byWd)))
	m.count.unwatched.Store(int64(len(m.unwatched)))
	m.count.behind.Store(!m.resyncAt.IsZero() || len(m.stale) > 0)
	m.tellLimit()
}

// pathOf returns the path of n, and whether n hangs in the tree at all.
func (m *model) pathOf(n *node) (string, bool) {
	if !n.below(m.root) {
		return "", false
	}
	return string(n.appendPath(m.path[:0])), true
}

// relative returns the path of name in n, good until it is called again.
func (m *model) relative(n *node, name []byte) []byte {
	b := n.appendPath(m.path[:0])
	if len(b) > 0 && len(name) > 0 {
		b = append(b, '/')
	}
	m.path = append(b, name...)
	return m.path
}

// excluded reports whether the rules exclude path, whose parents they do not.
func (m *model) excluded(path []byte, dir bool) bool {
	// Match keeps nothing of its argument, so it may see the buffer: an
	// excluded path is to cost no allocation.
	return m.o.Rules.Match(unsafe.String(unsafe.SliceData(path), len(path)), dir)
}

func (m *model) emit(path string, mask uint32) {
	m.send(change.Event{Path: path, Mask: mask})
}

func (m *model) send(ev change.Event) {
	m.sent++
	m.o.Emit(ev)
}

// emitTree emits that n is to be compared with all below it, and then the
// files that were found open for writing there.
func (m *model) emitTree(n *node, ev event) {
	if path, ok := m.pathOf(n); ok {
		tree := ev.about(path)
		tree.AllBelow = true
		m.send(tree)
	}
	for _, ev := range m.writing {
		m.send(ev)
	}
	m.writing = nil
}

// gap is emitTree for a directory of which something was missed.
func (m *model) gap(n *node) {
	m.count.gaps.Add(1)
	m.emitTree(n, event{})
}
