package watcher

import (
	"bytes"
	"encoding/binary"
	"iter"

	"golang.org/x/sys/unix"
)

// dirent is one record of what getdents64(2) returns.
type dirent struct {
	ino  uint64
	kind uint8  // DT_DIR and its like; DT_UNKNOWN on some file systems
	name []byte // shares the buffer it was read into
}

// direntName is where the name begins in struct linux_dirent64, behind d_ino,
// d_off, d_reclen and d_type.
const direntName = 8 + 8 + 2 + 1

// dirents yields the records in b but "." and "..". It ends at the first
// record that b does not hold whole; the kernel never writes one.
func dirents(b []byte) iter.Seq[dirent] {
	return func(yield func(dirent) bool) {
		for len(b) > direntName {
			size := int(binary.NativeEndian.Uint16(b[16:]))
			if size <= direntName || size > len(b) {
				return
			}
			e := dirent{ino: binary.NativeEndian.Uint64(b), kind: b[18]}
			e.name, _, _ = bytes.Cut(b[direntName:size], []byte{0})
			b = b[size:]
			if name := string(e.name); name == "." || name == ".." {
				continue
			}
			if !yield(e) {
				return
			}
		}
	}
}

// list calls visit for every entry of the directory behind fd. The listing is
// opened anew: POSIX leaves open whether an entry that is made between the
// opening of a directory and its reading is seen, and btrfs does not show it
// since Linux 6.6. So what is not listed here was made after list began.
func list(fd int, buf []byte, visit func(dirent)) error {
	dir, err := openAt(fd, ".", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	for {
		n, err := unix.Getdents(dir, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return err
		}
		for e := range dirents(buf[:n]) {
			visit(e)
		}
	}
}

// isDir reports whether e, an entry of the directory behind fd, is one too.
func (e dirent) isDir(fd int) bool {
	if e.kind != unix.DT_UNKNOWN {
		return e.kind == unix.DT_DIR
	}
	st, err := statAt(fd, string(e.name))
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}
