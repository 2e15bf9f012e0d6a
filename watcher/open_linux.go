package watcher

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// errAway is returned for a directory that is not where the model has it:
// it, or one above it, was moved, and the event that says so is on its way.
var errAway = errors.New("the directory is not at its path")

// openAt opens the directory called name in the one behind dirfd, which may be
// AT_FDCWD, and follows no link at its end.
func openAt(dirfd int, name string, flags int) (int, error) {
	flags |= unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := unix.Openat(dirfd, name, flags, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func statAt(dirfd int, name string) (st unix.Stat_t, err error) {
	err = unix.Fstatat(dirfd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st, err
}

// isAbsent reports whether err is what openAt returns when name is no
// directory, as against one that cannot be opened. O_PATH with O_NOFOLLOW gets
// ENOTDIR for a link, other flags get ELOOP: open(2).
func isAbsent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}

// openPath opens the directory at an absolute path of any length, following
// links. Longer than PATH_MAX it is opened piece by piece.
func openPath(path []byte) (int, error) {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
	at := unix.AT_FDCWD
	for {
		piece, rest := path, []byte(nil)
		if len(path) >= unix.PathMax {
			cut := bytes.LastIndexByte(path[:unix.PathMax-1], '/')
			piece, rest = path[:max(cut, 0)], bytes.TrimLeft(path[max(cut, 0):], "/")
		}
		fd, err := unix.Openat(at, string(piece), flags, 0)
		if err == unix.EINTR {
			continue
		}
		if at != unix.AT_FDCWD {
			_ = unix.Close(at)
		}
		if err != nil || len(rest) == 0 {
			return fd, err
		}
		at, path = fd, rest
	}
}

// open returns a descriptor of n's directory, good for *at calls, or errAway.
// The links that may have come into the path do no harm: what was opened is
// n's directory or it is not.
func (m *model) open(n *node) (int, error) {
	path, ok := m.pathOf(n)
	if !ok {
		return -1, errAway
	}
	base := strings.TrimRight(m.o.Root.Path(), "/")
	fd, err := openPath([]byte(base + "/" + path))
	if err != nil {
		if isAbsent(err) {
			err = errAway
		}
		return -1, fmt.Errorf("opening %q: %w", path, err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil && (st.Dev != n.dev || st.Ino != n.ino) {
		err = errAway
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// at is open for a caller that comes again and again: the descriptor is kept
// until another directory is asked for or the model rests. It stays n's
// directory wherever that is moved.
func (m *model) at(n *node) (int, error) {
	if m.here == n {
		return m.hereFd, nil
	}
	m.leave()
	fd, err := m.open(n)
	if err != nil {
		return -1, err
	}
	m.here, m.hereFd = n, fd
	return fd, nil
}

// leave closes what at kept. The model rests without a descriptor in the tree,
// so that file systems can be unmounted.
func (m *model) leave() {
	if m.here != nil {
		_ = unix.Close(m.hereFd)
		m.here = nil
	}
}
