package watcher

import (
	"golang.org/x/sys/unix"
)

// handle looks where ev points and emits.
func (m *model) handle(ev event) {
	m.count.events.Add(1)
	if ev.mask&unix.IN_Q_OVERFLOW != 0 {
		m.overflow()
		return
	}
	n := m.byWd[ev.wd]
	switch {
	case n == nil: // a watch that was given up while this waited
		m.marks.reach(ev.wd)
	case ev.mask&(unix.IN_IGNORED|unix.IN_UNMOUNT) != 0:
		m.watchEnded(n)
	case n == m.root && ev.mask&rootAlways != 0:
		m.rootMoved()
	case !n.below(m.root): // in limbo: compared when it is back in the tree
	case len(ev.name) == 0:
		m.handleSelf(n, ev.mask)
	case ev.mask&unix.IN_ISDIR != 0:
		m.handleDir(n, ev)
	default:
		m.handleFile(n, ev)
	}
}

// handleSelf emits what a watched directory says of itself. What its parent
// says of it too, by name, is left out; across a mount the parent is silent.
func (m *model) handleSelf(n *node, mask uint32) {
	if n == m.root || n.dev != n.parent.dev {
		m.emit(string(m.relative(n, nil)), mask)
	}
}

// handleDir follows a directory that came, went or changed in n.
func (m *model) handleDir(n *node, ev event) {
	path := m.relative(n, ev.name)
	if m.excluded(path, true) {
		return
	}
	at, name := string(path), string(ev.name)
	if !m.o.Recursive || ev.mask&structural == 0 && !m.isUnwatched(n.kid(name)) {
		m.send(ev.about(at))
		return
	}
	kid, found := m.look(n, name)
	if found > known {
		m.emitTree(kid, ev)
		return
	}
	m.send(ev.about(at))
}

// handleFile emits what happened to an entry of n that is no directory.
func (m *model) handleFile(n *node, ev event) {
	path := m.relative(n, ev.name)
	if m.excluded(path, false) {
		return
	}
	at := string(path)
	switch {
	case ev.mask&unix.IN_CREATE != 0:
		m.created(n, string(ev.name), at, ev.mask)
		return
	case ev.mask&(unix.IN_CLOSE_WRITE|unix.IN_DELETE) != 0:
		m.closed(n, ev.name)
	case ev.mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0:
		m.renamed(n, ev)
	}
	if ino, ok := tmpfileName(ev.name); ok && ev.mask&structural == 0 && m.isNameless(n, string(ev.name)) {
		m.addNameless(n, ino, ev.mask)
		return
	}
	m.send(ev.about(at))
}

// watchEnded is called when the kernel has ended the watch of n, because the
// directory was removed or its file system unmounted.
func (m *model) watchEnded(n *node) {
	delete(m.byWd, n.wd)
	n.wd = 0
	switch {
	case n == m.root:
		m.rootMoved()
		m.wantResync() // should it still be there, it needs a watch
	case n.below(m.root):
		// After a removal nothing is there, and the parent says so too.
		// After an unmount it is the directory that was mounted over.
		if kid, found := m.look(n.parent, n.name); found > known {
			m.gap(kid)
		}
	}
}

// rootMoved ends the model if the root is gone.
func (m *model) rootMoved() {
	if err := m.o.Root.Check(); err != nil {
		m.gone = err
	}
}
