package delta

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// stat is what of an entry tells one version of it from another.
type stat struct {
	dev, ino, nlink uint64
	size            int64
	mtime, ctime    int64 // ns since 1970
	mode, uid, gid  uint32
}

func statOf(st *unix.Stat_t) stat {
	return stat{
		dev: st.Dev, ino: st.Ino, nlink: uint64(st.Nlink), //nolint:unconvert // 32 bits on arm64
		size: st.Size, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(),
		mode: st.Mode, uid: st.Uid, gid: st.Gid,
	}
}

func (s *stat) dir() bool     { return s.mode&unix.S_IFMT == unix.S_IFDIR }
func (s *stat) regular() bool { return s.mode&unix.S_IFMT == unix.S_IFREG }

// tree looks at paths below a root directory. It keeps the directories from
// the root to the last one it went through open, so looking at paths in the
// order of the tree opens every directory once and never resolves a path from
// the top again. No link is followed.
type tree struct {
	root int // descriptor of the root, not closed by tree
	open []level
}

type level struct {
	name string
	fd   int
}

func (t *tree) close() { t.cut(0) }

// cut closes all but the first n directories.
func (t *tree) cut(n int) {
	for _, l := range t.open[n:] {
		_ = unix.Close(l.fd)
	}
	t.open = t.open[:n]
}

// stat looks at path. at is path, or the ancestor of it where the way ended:
// the topmost one that does not exist (with ENOENT), that is no directory
// (with no error, and st is the ancestor's) or that cannot be entered.
func (t *tree) stat(path string) (at string, st stat, err error) {
	dir, depth := t.root, 0
	for end := 0; ; depth++ {
		name, more := path[end:], false
		if i := strings.IndexByte(name, '/'); i >= 0 {
			name, more = name[:i], true
		}
		end += len(name)
		if !more {
			st, err = statAt(dir, name)
			return path, st, err
		}
		at = path[:end]
		end++
		fd, err := t.enter(dir, depth, name)
		if errors.Is(err, unix.ENOTDIR) {
			if st, err = statAt(dir, name); err == nil && st.dir() {
				fd, err = t.enter(dir, depth, name) // it became one in between
			}
		}
		if err != nil || fd < 0 {
			return at, st, err
		}
		dir = fd
	}
}

// enter returns the descriptor of the directory name in dir, which is depth
// levels below the root, and -1 and the error when it cannot be opened.
func (t *tree) enter(dir, depth int, name string) (int, error) {
	if depth < len(t.open) {
		if t.open[depth].name == name {
			return t.open[depth].fd, nil
		}
		t.cut(depth)
	}
	if !plain(name) {
		return -1, unix.EINVAL
	}
	// O_PATH needs no permission to read the directory, only to pass it.
	// With O_DIRECTORY a link fails with ENOTDIR, see open(2).
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(dir, name, flags, 0)
	if err != nil {
		return -1, err
	}
	t.open = append(t.open, level{strings.Clone(name), fd})
	return fd, nil
}

func statAt(dir int, name string) (stat, error) {
	var st unix.Stat_t
	flags := unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT
	switch {
	case name == "":
		flags |= unix.AT_EMPTY_PATH // the root itself
	case !plain(name):
		return stat{}, unix.EINVAL
	}
	if err := unix.Fstatat(dir, name, &st, flags); err != nil {
		return stat{}, err
	}
	return statOf(&st), nil
}

// plain reports whether name can only mean an entry of its directory. The
// names that come here from outside are those that rsync reports.
func plain(name string) bool { return name != "" && name != "." && name != ".." }
