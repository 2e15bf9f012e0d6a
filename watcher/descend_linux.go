package watcher

import (
	"slices"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// maxOpen bounds the descriptors that a descent holds open. Above it, those of
// the levels farthest up are closed, and opened again by path when the descent
// comes back to them.
const maxOpen = 64

// frame is a directory of a descent that is in the tree already.
type frame struct {
	n     *node
	fd    int      // owned by the descent; -1 when closed
	subs  []string // its subdirectories that are still to be entered
	deep  bool     // enter those that are known too
	fresh bool     // n is new: nothing is known of the files in it
}

// descend lists the directory f.n and makes the tree agree with it, and goes
// on with those below that are not known. It needs no stack of its own and
// opens nothing by a path, so depth is no limit.
func (m *model) descend(f frame) {
	f.subs = m.list(f)
	for stack := []frame{f}; len(stack) > 0; {
		top := &stack[len(stack)-1]
		if len(top.subs) == 0 || m.quitting() {
			closeFrame(top)
			stack = stack[:len(stack)-1]
			continue
		}
		name := top.subs[0]
		top.subs = top.subs[1:]
		if top.fd < 0 && !m.reopen(top) {
			continue
		}
		kid, fd, found := m.enter(top.n, top.fd, name)
		switch {
		case fd < 0:
			continue
		case found == known && !top.deep:
			_ = unix.Close(fd)
			continue
		}
		next := frame{n: kid, fd: fd, deep: top.deep || found == moved, fresh: found == fresh}
		next.subs = m.list(next)
		stack = append(stack, next)
		if up := len(stack) - 1 - maxOpen; up >= 0 {
			closeFrame(&stack[up])
		}
	}
}

func closeFrame(f *frame) {
	if f.fd >= 0 {
		_ = unix.Close(f.fd)
		f.fd = -1
	}
}

// reopen opens the directory of f again. When it is not there any more, what
// is left of it is listed once it has been found.
func (m *model) reopen(f *frame) bool {
	fd, err := m.open(f.n)
	if err != nil {
		m.stale[f.n] = struct{}{}
		f.subs = nil
		return false
	}
	f.fd = fd
	return true
}

// list returns the names of the subdirectories of f.n that are not excluded,
// in order, and cuts off the tree what is no longer one of them.
func (m *model) list(f frame) []string {
	if !m.o.Recursive {
		m.nowListed(f.n)
		return nil
	}
	var subs []string
	peek := m.peeker(f)
	base := m.relative(f.n, nil)
	if len(base) > 0 {
		base = append(base, '/')
	}
	base = slices.Grow(base, unix.NAME_MAX)
	m.path = base
	err := list(f.fd, m.dirents, func(e dirent) {
		m.alive.Answer() // a directory can have millions of entries
		dir := e.isDir(f.fd)
		if !dir && peek == nil {
			return
		}
		path := append(base, e.name...)
		switch {
		case m.excluded(path, dir):
		case dir:
			subs = append(subs, string(e.name))
		case peek(e):
			m.writing = append(m.writing, change.Event{Path: string(path), Writing: true})
		}
	})
	slices.Sort(subs)
	if err != nil && !isAbsent(err) {
		m.cannotWatch(f.n, err)
		return subs // perhaps not all
	}
	m.nowListed(f.n)
	m.keepOnly(f.n, subs)
	return subs
}

// nowListed notes that nothing is missed in n any more, if it has a watch.
func (m *model) nowListed(n *node) {
	if n.wd != 0 {
		delete(m.unwatched, n)
	}
}

// keepOnly cuts off the kids of n that are not in names, which is in order.
func (m *model) keepOnly(n *node, names []string) {
	for _, kid := range slices.Backward(n.kids) { // detach moves those behind it
		if _, ok := slices.BinarySearch(names, kid.name); !ok {
			m.detach(kid)
		}
	}
	n.kids = slices.Grow(n.kids, max(0, len(names)-len(n.kids)))
}

// listAll makes the tree agree with everything below the root, and watches it.
// The error says that the root is gone.
func (m *model) listAll() error {
	dir, err := m.o.Root.Open()
	if err != nil {
		return err
	}
	defer dir.Close()
	fd, err := openAt(int(dir.Fd()), ".", unix.O_PATH)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return err
	}
	wd, err := m.watch(fd, m.mask|rootAlways)
	if err == nil && wd != m.root.wd {
		delete(m.byWd, m.root.wd)
	}
	m.own(m.root, wd, &st)
	if err != nil {
		m.cannotWatch(m.root, err)
	}
	m.descend(frame{n: m.root, fd: fd, deep: true})
	return nil
}
