package lab

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func (s *Storm) move() error {
	from, err := s.any()
	if err != nil {
		return err
	}
	return s.rename(from, s.place(), 0)
}

// moveOver moves an entry to where another one is. The kernel allows it for two
// directories when the other one is empty, and else when neither is one.
func (s *Storm) moveOver() error { return s.renamePair(0) }

func (s *Storm) exchange() error { return s.renamePair(unix.RENAME_EXCHANGE) }

func (s *Storm) renamePair(flags uint) error {
	from, err := s.any()
	if err != nil {
		return err
	}
	to, err := s.any()
	if err != nil {
		return err
	}
	return s.rename(from, to, flags)
}

func (s *Storm) moveOut() error {
	if s.o.Outside == "" {
		return nil
	}
	from, err := s.any()
	if err != nil {
		return err
	}
	return s.rename(from, filepath.Join(s.o.Outside, fmt.Sprintf("out%d", s.rnd.IntN(4))), 0)
}

func (s *Storm) moveIn() error {
	if s.o.Outside == "" {
		return nil
	}
	from, ok := s.entry(s.o.Outside, 0, fs.ModeDir, fs.ModeSymlink)
	if !ok {
		return nil
	}
	return s.rename(from, s.place(), 0)
}

// rename is renameat2(2), unless a path would become too long.
func (s *Storm) rename(from, to string, flags uint) error {
	s.note(from, to)
	if len(to)+below(from) > longest || flags&unix.RENAME_EXCHANGE != 0 && len(from)+below(to) > longest {
		return unix.ENAMETOOLONG
	}
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
}

// below is the length of the longest path below path.
func below(path string) int {
	most := 0
	_ = filepath.WalkDir(path, func(p string, _ fs.DirEntry, _ error) error {
		most = max(most, len(p)-len(path))
		return nil
	})
	return most
}

func (s *Storm) link() error {
	path := s.place()
	s.note(path)
	return os.Symlink(s.target(), path)
}

// target draws what a symbolic link points to: something near it, something
// above it, a directory of the tree, or nothing at all.
func (s *Storm) target() string {
	switch s.rnd.IntN(4) {
	case 0:
		return s.name()
	case 1:
		return strings.Repeat("../", 1+s.rnd.IntN(3)) + s.name()
	case 2:
		return s.dir()
	}
	return "/nonexistent/" + s.name()
}

func (s *Storm) hardLink() error {
	if !s.o.HardLinks {
		return nil
	}
	from, err := s.pick(0)
	if err != nil {
		return err
	}
	to := s.place()
	s.note(from, to)
	return os.Link(from, to)
}
