package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Compare lists what differs between two trees, one line a difference, in the
// order of the paths and with names quoted. Of a subtree that only one of them
// has, its top is named. The trees are equal when the list is empty.
func Compare(a, b string, o CompareOptions) ([]string, error) {
	inA, err := Walk(a, o)
	if err != nil {
		return nil, err
	}
	inB, err := Walk(b, o)
	if err != nil {
		return nil, err
	}
	paths := slices.AppendSeq(slices.Collect(maps.Keys(inA)), maps.Keys(inB))
	slices.Sort(paths)

	diff := []string{}
	for _, path := range slices.Compact(paths) {
		x, isA := inA[path]
		y, isB := inB[path]
		switch {
		case isA && isB:
			diff = append(diff, compareEntries(path, x, y)...)
			line, err := compareContent(a, b, path, x, y)
			if err != nil {
				return nil, err
			}
			diff = append(diff, line...)
		case isA && inB[filepath.Dir(path)].Dir():
			diff = append(diff, fmt.Sprintf("%q: only in %q", path, a))
		case isB && inA[filepath.Dir(path)].Dir():
			diff = append(diff, fmt.Sprintf("%q: only in %q", path, b))
		}
	}
	return diff, nil
}

// compareEntries compares all but content.
func compareEntries(path string, x, y Entry) []string {
	if x.Mode&unix.S_IFMT != y.Mode&unix.S_IFMT {
		return []string{fmt.Sprintf("%q: type %s and %s", path, typeOf(x), typeOf(y))}
	}
	var diff []string
	differ := func(differs bool, format string, v, w any) {
		if differs {
			diff = append(diff, fmt.Sprintf("%q: "+format, path, v, w))
		}
	}
	differ(x.Mode != y.Mode, "mode %#o and %#o", x.Mode&0o7777, y.Mode&0o7777)
	differ(x.UID != y.UID, "owner %d and %d", x.UID, y.UID)
	differ(x.GID != y.GID, "group %d and %d", x.GID, y.GID)
	differ(x.Size != y.Size, "size %d and %d", x.Size, y.Size)
	differ(x.MtimeNS != y.MtimeNS, "modified %s and %s", stamp(x.MtimeNS), stamp(y.MtimeNS))
	differ(x.Rdev != y.Rdev, "device %#x and %#x", x.Rdev, y.Rdev)
	differ(x.Target != y.Target, "link to %q and to %q", x.Target, y.Target)
	differ(x.First != y.First, "same file as %q and as %q", x.First, y.First)
	differ(x.Xattrs != y.Xattrs, "attributes [%s] and [%s]", x.Xattrs, y.Xattrs)
	return diff
}

func typeOf(e Entry) string {
	switch e.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "link"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "device"
}

func stamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// compareContent compares two regular files of one size.
func compareContent(a, b, path string, x, y Entry) ([]string, error) {
	if x.Mode&y.Mode&unix.S_IFMT != unix.S_IFREG || x.Mode&unix.S_IFMT != y.Mode&unix.S_IFMT || x.Size != y.Size {
		return nil, nil
	}
	at, err := firstDifference(filepath.Join(a, path), filepath.Join(b, path))
	if gone(err) || errors.Is(err, unix.ELOOP) {
		return []string{fmt.Sprintf("%q: changed while it was compared", path)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("comparing content: %w", err)
	}
	if at < 0 {
		return nil, nil
	}
	return []string{fmt.Sprintf("%q: content differs from byte %d on", path, at)}, nil
}

// firstDifference returns the offset of the first byte in which two files
// differ, -1 when there is none.
func firstDifference(a, b string) (int64, error) {
	f, err := os.OpenFile(a, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	g, err := os.OpenFile(b, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer g.Close()
	x, y := make([]byte, 128<<10), make([]byte, 128<<10)
	for at := int64(0); ; {
		n, errX := io.ReadFull(f, x)
		m, errY := io.ReadFull(g, y)
		if !bytes.Equal(x[:n], y[:m]) {
			for i := range min(n, m) {
				if x[i] != y[i] {
					return at + int64(i), nil
				}
			}
			return at + int64(min(n, m)), nil
		}
		at += int64(n)
		if err := errors.Join(notEOF(errX), notEOF(errY)); err != nil {
			return 0, err
		}
		if errX != nil || errY != nil {
			return -1, nil
		}
	}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
