package watcher

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// found is what was found where a directory was looked for.
type found int

const (
	absent found = iota // none, or nobody can tell as yet
	known               // the one that the tree has there
	moved               // one that the tree had elsewhere
	fresh               // a new one, or one that cannot be watched
	looped              // one that is above itself: not to be entered
)

// errLoop is why a directory is not watched that is above itself: it was
// mounted there, or the events of how it got there are still to come.
var errLoop = errors.New("the directory is above itself")

// look makes the tree agree with what is called name in p now, and sets the
// watches of a directory that is new there.
func (m *model) look(p *node, name string) (*node, found) {
	dir, err := m.at(p)
	if err != nil {
		m.stale[p] = struct{}{}
		return nil, absent
	}
	kid, fd, f := m.enter(p, dir, name)
	switch {
	case fd < 0:
	case f == known:
		_ = unix.Close(fd)
	default:
		m.descend(frame{n: kid, fd: fd, deep: true, fresh: f == fresh})
	}
	return kid, f
}

// enter opens what is called name in p, whose descriptor is dir, puts it in
// the tree and watches it. The caller closes fd, which is -1 when there is
// nothing to go on with.
func (m *model) enter(p *node, dir int, name string) (kid *node, fd int, f found) {
	fd, err := openAt(dir, name, unix.O_PATH)
	var st unix.Stat_t
	if err == nil {
		err = unix.Fstat(fd, &st)
	}
	switch {
	case err == nil:
		kid, f = m.place(p, name, fd, &st)
		if f == looped {
			_ = unix.Close(fd)
			fd = -1
		}
		return kid, fd, f
	case isAbsent(err):
		m.detach(p.kid(name))
		return nil, -1, absent
	}
	if kid = p.kid(name); kid == nil {
		kid = &node{}
		p.link(kid, name)
	}
	m.cannotWatch(kid, err)
	return kid, -1, fresh
}

// place puts the directory behind fd into the tree, as name in p.
//
// A watch belongs to an inode, so the descriptor that the kernel returns says
// which directory it is, if it is known: one that comes out of limbo, but also
// one that is met here before the event of its move has come. It is taken from
// where it hung.
func (m *model) place(p *node, name string, fd int, st *unix.Stat_t) (*node, found) {
	kid := p.kid(name)
	wd, err := m.watch(fd, m.mask)
	owner, f := m.byWd[wd], moved
	switch {
	case err != nil && kid != nil && kid.dev == st.Dev && kid.ino == st.Ino:
		m.cannotWatch(kid, err)
		return kid, fresh
	case owner == kid && kid != nil:
		return kid, known
	case owner == nil && kid != nil && kid.wd == 0:
		owner, f = kid, fresh // what hangs below it is listed next
	case owner == nil:
		owner, f = &node{}, fresh
	case p.below(owner):
		wd, err = 0, errLoop
		owner, f = &node{}, looped
	}
	if owner != kid {
		m.detach(kid)
		delete(m.limbo, owner)
		owner.unlink()
		p.link(owner, name)
	}
	m.own(owner, wd, st)
	if err != nil {
		m.cannotWatch(owner, err)
	}
	return owner, f
}

// own gives n the watch wd, 0 for none, and the inode it belongs to.
func (m *model) own(n *node, wd int32, st *unix.Stat_t) {
	n.wd, n.dev, n.ino = wd, st.Dev, st.Ino
	if wd != 0 {
		m.byWd[wd] = n
	}
}

// watch sets a watch on the directory behind fd. inotify_add_watch(2) takes
// only paths, and this one leads to the inode of fd wherever that is now.
func (m *model) watch(fd int, mask uint32) (int32, error) {
	wd, err := unix.InotifyAddWatch(m.fd, "/proc/self/fd/"+strconv.Itoa(fd), mask)
	if err != nil {
		return 0, err
	}
	return int32(wd), nil
}
