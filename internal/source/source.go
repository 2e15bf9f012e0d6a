// Package source holds the identity of a watched root: the directory at wpath when
// its mirror started, and the check whether it still is there.
//
// A missing source is not an empty source. So everything that reads the source to
// decide on deletions uses [Root.Open], which opens the directory and checks its
// identity on the open descriptor.
//
// # Blocking and shutdown
//
// Opening and checking block as long as the file system does. A Root starts no
// goroutine and keeps no descriptor, so the administrator can unmount the source.
package source

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrGone is what Open and Check return, wrapped, when the path does not lead
// to the directory that was adopted: it is missing, renamed, replaced,
// unmounted or unreadable. The caller holds the mirror and deletes nothing.
var ErrGone = errors.New("the source is gone")

// Root is the root directory of a mirror. Its methods may be called from any
// goroutine.
type Root struct {
	path string // absolute, as configured

	mu     sync.Mutex
	id     identity        // guarded by mu; zero until Adopt
	mounts map[string]bool // guarded by mu; see Unmounted
}

// identity tells a directory from any other that could take its place. Device and
// inode number are not enough: the device changes when a file system without a block
// device is mounted again, and inode numbers are reused. A file handle also has the
// generation of the inode.
type identity struct {
	fs     uint64 // statfs(2) f_fsid, or the device where a file system has none
	ino    uint64
	btime  unix.StatxTimestamp // time of birth, zero where it is not kept
	handle string              // name_to_handle_at(2), empty where not supported
}

// New returns the root at path, which need not exist yet.
func New(path string) *Root { return &Root{path: path} }

// Path is the path as configured.
func (r *Root) Path() string { return r.path }

// Adopt takes the directory that is at the path now for the source, following
// links (the path is the administrator's). Every later Open and Check compare
// with it.
func (r *Root) Adopt() error {
	dir, id, err := r.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	r.mu.Lock()
	r.id, r.mounts = id, nil
	r.mu.Unlock()
	return nil
}

// Adopted reports whether the root has an identity.
func (r *Root) Adopted() bool { return r.identity() != identity{} }

// Open opens the adopted directory for reading. The error wraps ErrGone and
// says what is wrong. The caller closes the file soon: an open descriptor keeps
// the file system from being unmounted.
func (r *Root) Open() (*os.File, error) {
	dir, id, err := r.open()
	if err != nil {
		return nil, err
	}
	if id != r.identity() {
		_ = dir.Close()
		return nil, fmt.Errorf("%w: %q is another directory now", ErrGone, r.path)
	}
	return dir, nil
}

// Check reports whether Open would succeed.
func (r *Root) Check() error {
	dir, err := r.Open()
	if err != nil {
		return err
	}
	return dir.Close()
}

func (r *Root) identity() identity {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.id
}

func (r *Root) open() (*os.File, identity, error) {
	dir, err := os.OpenFile(r.path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, identity{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	id, err := identify(int(dir.Fd()))
	if err != nil {
		_ = dir.Close()
		return nil, identity{}, fmt.Errorf("%w: looking at %q: %w", ErrGone, r.path, err)
	}
	return dir, id, nil
}

func identify(fd int) (identity, error) {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &st)
	if err != nil {
		return identity{}, err
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return identity{}, err
	}
	id := identity{
		fs:  uint64(uint32(fs.Fsid.Val[0])) | uint64(uint32(fs.Fsid.Val[1]))<<32,
		ino: st.Ino,
	}
	if id.fs == 0 {
		id.fs = unix.Mkdev(st.Dev_major, st.Dev_minor)
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		id.btime = st.Btime
	}
	if h, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH); err == nil {
		id.handle = string(h.Bytes())
	}
	return id, nil
}
