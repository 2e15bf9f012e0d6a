package watcher

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// A file that was made by open(2) with O_TMPFILE and got its name by linkat(2)
// keeps the name "#<inode>" in the eyes of the kernel: that is what its writes
// and its close are reported under, in the directory it was opened in. No such
// entry exists, so the entry with that inode is looked for, in a listing of
// that directory, once for all such events that came together. A file that got
// its name in another directory is not found; like every write through a name
// that is not watched it is left to the full sync.

// tmpfileName returns the inode number in a name of the form "#<inode>".
func tmpfileName(name []byte) (uint64, bool) {
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	ino, err := strconv.ParseUint(string(name[1:]), 10, 64)
	return ino, err == nil
}

// isNameless reports whether there is no entry called name in n, which may
// also be one that was removed.
func (m *model) isNameless(n *node, name string) bool {
	dir, err := m.at(n)
	if err != nil {
		return false
	}
	_, err = statAt(dir, name)
	return errors.Is(err, unix.ENOENT)
}

func (m *model) addNameless(n *node, ino uint64, mask uint32) {
	if m.nameless[n] == nil {
		m.nameless[n] = map[uint64]uint32{}
	}
	m.nameless[n][ino] |= mask
}

// findNameless emits the events of nameless files under the names they have.
func (m *model) findNameless() {
	for n, masks := range m.nameless {
		delete(m.nameless, n)
		dir, err := m.at(n)
		if err != nil {
			m.stale[n] = struct{}{}
			continue
		}
		err = list(dir, m.dirents, func(e dirent) {
			mask, ok := masks[e.ino]
			if !ok || e.kind != unix.DT_REG && e.kind != unix.DT_UNKNOWN {
				return
			}
			m.closed(n, e.name)
			if path := m.relative(n, e.name); !m.excluded(path, false) {
				m.emit(string(path), mask)
			}
		})
		if err != nil {
			m.stale[n] = struct{}{}
		}
	}
}
