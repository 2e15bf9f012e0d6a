package watcher

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

const (
	// maxUnclosed bounds the new files whose close is waited for here. A
	// file beyond it is waited for by who reads the events.
	maxUnclosed = 4096

	// maxPeeks bounds the files that are looked at in a new directory.
	maxPeeks = 1000

	// recent is how young a file is whose writer may still be at work
	// although its making was not reported.
	recent = time.Minute
)

// created emits that the file called name was made in n. A regular file with
// this one name was most probably made by open(2), whose close is reported
// too: it is being written until then.
//
// It may as well have been made by mknod(2), or be the new name of a file
// whose old one is removed already, as git and mail servers do it. No close
// follows then, so the file is looked at a second time.
func (m *model) created(n *node, name, path string, mask uint32) {
	writing := false
	if dir, err := m.at(n); err == nil {
		st, err := statAt(dir, name)
		writing = err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink == 1
	}
	if writing && len(m.unclosed) < maxUnclosed {
		m.unclosed[entry{n, name}] = time.Now().Add(m.times.second)
	}
	m.send(change.Event{Path: path, Mask: mask, Writing: writing})
}

// closed notes that nobody waits for the close of name in n any more.
func (m *model) closed(n *node, name []byte) {
	if len(m.unclosed) > 0 {
		delete(m.unclosed, entry{n, string(name)})
	}
}

// move is the first half of a rename: of an entry that was unclosed.
type move struct {
	cookie uint32
	at     time.Time // when it is to be looked at again; zero: it was not unclosed
}

// renamed has an unclosed file looked at a second time under its new name: it
// is as new there. The two halves of a rename follow one another, but for what
// others do at that moment (inotify(7)), so the last first half is kept.
func (m *model) renamed(n *node, ev event) {
	e := entry{n, string(ev.name)}
	if ev.mask&unix.IN_MOVED_FROM != 0 {
		m.onTheMove = move{ev.cookie, m.unclosed[e]}
		delete(m.unclosed, e)
		return
	}
	if was := m.onTheMove; was.cookie == ev.cookie && !was.at.IsZero() {
		m.unclosed[e], m.onTheMove = was.at, move{}
	}
}

// lookAgain emits the new files that nobody closed and nobody writes. It
// returns when it is due.
func (m *model) lookAgain(now time.Time) (next time.Time) {
	for e, at := range m.unclosed {
		if now.Before(at) {
			next = earliest(next, at)
			continue
		}
		delete(m.unclosed, e)
		if !e.dir.below(m.root) {
			continue
		}
		// Where nobody can tell, the file is waited for as long as is allowed.
		if dir, err := m.at(e.dir); err == nil && writerOf(dir, e.name) == nobody {
			m.emit(string(m.relative(e.dir, []byte(e.name))), 0)
		}
	}
	return next
}

// peeker returns a function that tells of the entries of f.n whether they are
// regular files that are still being written. Nobody is to be asked, it is
// nil, of a directory in which nothing was made for long.
func (m *model) peeker(f frame) func(dirent) bool {
	if !f.fresh || !m.running {
		return nil // the first comparison looks at all there is
	}
	var dir unix.Stat_t
	oldest := time.Now().Add(-recent).Unix()
	if unix.Fstat(f.fd, &dir) != nil || dir.Mtim.Sec < oldest {
		return nil
	}
	left := maxPeeks
	return func(e dirent) bool {
		if left == 0 || e.kind != unix.DT_REG && e.kind != unix.DT_UNKNOWN {
			return false
		}
		left--
		name := string(e.name)
		st, err := statAt(f.fd, name)
		return err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Ctim.Sec >= oldest && hasWriter(f.fd, name)
	}
}

// writer says whether a file is open for writing.
type writer int

const (
	unknown writer = iota
	nobody
	somebody
)

// hasWriter reports whether somebody is known to have the regular file called
// name open for writing.
func hasWriter(dirfd int, name string) bool { return writerOf(dirfd, name) == somebody }

// writerOf asks the kernel for the writer of the regular file called name. A
// read lease is refused with EAGAIN exactly when there is one: fcntl(2),
// "Leases". It is given back at once; who opens the file meanwhile waits for
// that. Every other refusal, for want of CAP_LEASE or on a file system without
// leases, tells nothing.
func writerOf(dirfd int, name string) writer {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, err := unix.Openat(dirfd, name, flags, 0)
	if err != nil {
		return unknown
	}
	defer unix.Close(fd)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	switch {
	case err == nil:
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_UNLCK)
		return nobody
	case errors.Is(err, unix.EAGAIN):
		return somebody
	}
	return unknown
}
