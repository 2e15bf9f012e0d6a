package watcher

import (
	"time"

	"golang.org/x/sys/unix"
)

// detach cuts n, which may be nil, off the tree. It may have been moved, and
// then it is met elsewhere soon: until that has become improbable its watches
// are kept, as setting them anew costs more and every one that is given up
// costs an event.
func (m *model) detach(n *node) {
	if n == nil {
		return
	}
	n.unlink()
	if n.wd == 0 && len(n.kids) == 0 {
		m.forget(n)
		return
	}
	m.limbo[n] = time.Now().Add(m.times.limbo)
}

// expire forgets what has been in limbo for too long: it was moved out of the
// root, or removed. It returns when the next is due.
func (m *model) expire(now time.Time) (next time.Time) {
	for n, at := range m.limbo {
		if now.Before(at) {
			next = earliest(next, at)
			continue
		}
		delete(m.limbo, n)
		n.walk(m.forget)
	}
	return next
}

// forget drops what is known of n alone.
func (m *model) forget(n *node) {
	if n.wd != 0 {
		// It fails for a directory that is removed already, whose watch
		// is gone.
		_, _ = unix.InotifyRmWatch(m.fd, uint32(n.wd))
		delete(m.byWd, n.wd)
		n.wd = 0
	}
	delete(m.unwatched, n)
	delete(m.stale, n)
	delete(m.nameless, n)
}
