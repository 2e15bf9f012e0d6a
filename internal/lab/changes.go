package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// longest is the longest path that is made, well below PATH_MAX: longer ones are
// beyond rsync.
const longest = 2500

// change is a kind of change; weight is how often it is made.
type change struct {
	name   string
	weight int
	do     func(*Storm) error
}

var changes = []change{
	{"create", 20, (*Storm).create},
	{"append", 8, (*Storm).append},
	{"truncate", 4, (*Storm).truncate},
	{"rewrite", 8, (*Storm).rewrite},
	{"replace", 8, (*Storm).replace},
	{"make directories", 6, (*Storm).makeDirs},
	{"fill a new directory", 5, (*Storm).fill},
	{"move", 12, (*Storm).move},
	{"move over", 6, (*Storm).moveOver},
	{"exchange", 2, (*Storm).exchange},
	{"move out", 3, (*Storm).moveOut},
	{"move in", 4, (*Storm).moveIn},
	{"change type", 5, (*Storm).changeType},
	{"link", 5, (*Storm).link},
	{"hard link", 2, (*Storm).hardLink},
	{"chmod", 5, (*Storm).chmod},
	{"chown", 2, (*Storm).chown},
	{"set times", 5, (*Storm).setTimes},
	{"remove", 8, (*Storm).remove},
	{"remove all", 2, (*Storm).removeAll},
}

func (s *Storm) create() error {
	path := s.place()
	s.note(path)
	return s.write(path, os.O_CREATE|os.O_EXCL, s.content())
}

// write writes to the file at path, never through a link.
func (s *Storm) write(path string, flag int, b []byte) error {
	f, err := os.OpenFile(path, flag|os.O_WRONLY|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func (s *Storm) append() error {
	path, err := s.pick(0)
	if err != nil {
		return err
	}
	s.note(path)
	return s.write(path, os.O_APPEND, s.content())
}

// truncate closes the file afterwards: truncate(2), which never opens it, is an
// IN_MODIFY and nothing else, which not everybody watches for.
func (s *Storm) truncate() error {
	path, err := s.pick(0)
	if err != nil {
		return err
	}
	s.note(path)
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(s.rnd.IntN(1000))), f.Close())
}

// rewrite gives a file other bytes and keeps its size.
func (s *Storm) rewrite() error {
	path, err := s.pick(0)
	if err != nil {
		return err
	}
	s.note(path)
	st, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if err := s.write(path, 0, s.bytes(int(st.Size()))); err != nil {
		return err
	}
	if s.o.SameTime && s.rnd.IntN(2) == 0 {
		s.now = append(s.now, " same time"...)
		return os.Chtimes(path, st.ModTime(), st.ModTime())
	}
	return nil
}

// replace puts a new file in place of an old one, as editors do.
func (s *Storm) replace() error {
	path, err := s.pick(0)
	if err != nil {
		return err
	}
	s.note(path)
	temp := filepath.Join(filepath.Dir(path), ".replace.tmp")
	if err := s.write(temp, os.O_CREATE|os.O_TRUNC, s.content()); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func (s *Storm) makeDirs() error {
	path := s.place()
	for range s.rnd.IntN(5) {
		path = filepath.Join(path, s.name())
	}
	s.note(path)
	return s.mkdirAll(path)
}

func (s *Storm) mkdirAll(path string) error {
	if len(path) > longest {
		return unix.ENAMETOOLONG
	}
	return os.MkdirAll(path, 0o755)
}

// fill makes a directory and writes below it at once.
func (s *Storm) fill() error {
	dir := s.place()
	s.note(dir)
	sub := filepath.Join(dir, s.name())
	if err := s.mkdirAll(sub); err != nil {
		return err
	}
	for i := range 1 + s.rnd.IntN(5) {
		path := filepath.Join([]string{dir, sub}[i%2], s.name())
		if err := s.write(path, os.O_CREATE, s.content()); err != nil {
			return err
		}
	}
	return nil
}

// changeType puts a file, a directory with something in it or a link in place
// of what is there.
func (s *Storm) changeType() error {
	path, err := s.any()
	if err != nil {
		return err
	}
	s.note(path)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	switch s.rnd.IntN(3) {
	case 0:
		return s.write(path, os.O_CREATE|os.O_EXCL, s.content())
	case 1:
		return os.Symlink(s.target(), path)
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	return s.write(filepath.Join(path, s.name()), os.O_CREATE|os.O_EXCL, s.content())
}

// chmod keeps what the owner needs, unless Unreadable is asked for.
func (s *Storm) chmod() error {
	path, err := s.pick(0, fs.ModeDir)
	if err != nil {
		return err
	}
	st, err := os.Lstat(path)
	if err != nil {
		return err
	}
	modes := []uint32{0o644, 0o600, 0o640, 0o755, 0o666, 0o4755, 0o2711}
	if st.IsDir() {
		modes = []uint32{0o755, 0o700, 0o750, 0o1777, 0o2775}
	}
	if s.o.Unreadable {
		modes = append(modes, 0)
	}
	mode := modes[s.rnd.IntN(len(modes))]
	s.note(path)
	s.now = fmt.Appendf(s.now, " %#o", mode)
	return unix.Chmod(path, mode)
}

// chown is root's alone, and for the others no change.
func (s *Storm) chown() error {
	if os.Geteuid() != 0 {
		return nil
	}
	path, err := s.any()
	if err != nil {
		return err
	}
	s.note(path)
	return os.Lchown(path, s.rnd.IntN(3)*1000, s.rnd.IntN(3)*1000)
}

func (s *Storm) setTimes() error {
	path, err := s.any()
	if err != nil {
		return err
	}
	s.note(path)
	at, err := unix.TimeToTimespec(s.moment())
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
}

func (s *Storm) remove() error {
	path, err := s.pick(0, fs.ModeSymlink)
	if err != nil {
		return err
	}
	s.note(path)
	return os.Remove(path)
}

func (s *Storm) removeAll() error {
	path, err := s.any()
	if err != nil {
		return err
	}
	s.note(path)
	return os.RemoveAll(path)
}
