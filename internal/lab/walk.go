package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// CompareOptions say what two trees are compared in, besides type, mode, owner,
// group, size, modification time in nanoseconds, device number, link target and
// content.
type CompareOptions struct {
	// Skip reports whether a path is left out, with all that is below it.
	// nil leaves nothing out.
	Skip func(path string, dir bool) bool

	HardLinks bool // which names are one file
	Xattrs    bool // extended attributes, ACLs among them
}

// Entry is what a tree has at a path, but for content.
type Entry struct {
	Mode     uint32 // type and permissions, as st_mode in inode(7)
	UID, GID uint32
	Size     int64  // of a regular file
	MtimeNS  int64  // since 1970, in nanoseconds
	Rdev     uint64 // of a device
	Target   string // of a symbolic link
	First    string // with HardLinks: the first name of the same file, if it has several
	Xattrs   string // with Xattrs: names and values, in order
}

// Dir reports whether the entry is a directory.
func (e Entry) Dir() bool { return e.Mode&unix.S_IFMT == unix.S_IFDIR }

// Walk returns every entry of a tree by its path relative to root, root itself
// by ".". It never follows a link. A path that goes while it looks is left out;
// what cannot be read is an error.
func Walk(root string, o CompareOptions) (map[string]Entry, error) {
	w := walk{o: o, all: make(map[string]Entry), first: make(map[file]string)}
	top, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("walking: %w", err)
	}
	defer top.Close()
	st, err := top.Lstat(".")
	if err != nil {
		return nil, fmt.Errorf("walking %q: %w", root, err)
	}
	if err := w.add(top, ".", ".", st); err != nil {
		return nil, fmt.Errorf("walking %q: %w", root, err)
	}
	if err := w.dir(top, "."); err != nil {
		return nil, fmt.Errorf("walking %q: %w", root, err)
	}
	return w.all, nil
}

type walk struct {
	o     CompareOptions
	all   map[string]Entry
	first map[file]string // the first name of each file with several
}

// file identifies a file whatever its name.
type file struct{ dev, ino uint64 }

// dir adds what is in the directory dir, whose path is path.
func (w *walk) dir(dir *os.Root, path string) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		below := filepath.Join(path, name)
		st, err := dir.Lstat(name)
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		if w.o.Skip != nil && w.o.Skip(below, st.IsDir()) {
			continue
		}
		if err := w.add(dir, name, below, st); err != nil {
			return err
		}
		if st.IsDir() {
			if err := w.enter(dir, name, below); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) enter(dir *os.Root, name, path string) error {
	sub, err := dir.OpenRoot(name)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer sub.Close()
	return w.dir(sub, path)
}

func (w *walk) add(dir *os.Root, name, path string, info fs.FileInfo) error {
	st := info.Sys().(*syscall.Stat_t)
	e := Entry{
		Mode: st.Mode,
		UID:  st.Uid, GID: st.Gid,
		MtimeNS: st.Mtim.Nano(),
	}
	var err error
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		e.Size = st.Size
	case unix.S_IFLNK:
		e.Target, err = dir.Readlink(name)
	case unix.S_IFBLK, unix.S_IFCHR:
		e.Rdev = st.Rdev
	}
	if w.o.HardLinks && st.Nlink > 1 && !e.Dir() {
		id := file{st.Dev, st.Ino}
		if w.first[id] == "" {
			w.first[id] = path
		}
		e.First = w.first[id]
	}
	if err == nil && w.o.Xattrs {
		e.Xattrs, err = xattrs(filepath.Join(dir.Name(), name))
	}
	if gone(err) {
		return nil
	}
	w.all[path] = e
	return err
}

// gone reports whether a path was replaced or removed since it was listed.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EINVAL)
}

// readNames returns the names in a directory in the order of their bytes.
func readNames(dir *os.Root) ([]string, error) {
	f, err := dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
