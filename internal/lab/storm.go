package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// StormOptions say what a storm may do beyond the ordinary.
type StormOptions struct {
	Seed uint64

	// Outside is an existing directory beside the tree, on the same file
	// system, that entries are moved to and back from. "" is none.
	Outside string

	HardLinks  bool // make hard links
	Unreadable bool // leave files and directories without any permission

	// SameTime lets a file be rewritten with its size and its modification
	// time kept, which a comparison of both cannot notice.
	SameTime bool
}

// Storm changes a tree at random: it creates, writes, moves, replaces and
// removes files, directories and links, with names that break programs. The
// tree itself is all that it remembers, so the same seed on the same tree makes
// the same changes, as long as nobody else makes any. One goroutine at a time.
type Storm struct {
	root string
	o    StormOptions
	rnd  *rand.Rand
	now  []byte   // what the step is doing, for done
	done []string // see Done
}

// NewStorm returns a storm over the existing directory root.
func NewStorm(root string, o StormOptions) *Storm {
	return &Storm{root: root, o: o, rnd: rand.New(rand.NewPCG(o.Seed, 0))}
}

// Step makes n changes. A change that the kernel refuses, such as to move a
// directory into itself, counts too; any other error is returned.
func (s *Storm) Step(n int) error {
	for range n {
		op := s.choose()
		s.now = append(s.now[:0], op.name...)
		err := op.do(s)
		if no, ok := errors.AsType[syscall.Errno](err); ok && slices.Contains(refusals, no) {
			s.now = fmt.Appendf(s.now, ": %v", no)
			err = nil
		}
		s.done = append(s.done, string(s.now))
		if err != nil {
			return fmt.Errorf("storm of seed %d, step %d, %s: %w", s.o.Seed, len(s.done), s.now, err)
		}
	}
	return nil
}

// Done lists the changes that were made, in order and with names quoted.
func (s *Storm) Done() []string { return s.done }

// refusals are the kernel's answers to a change that cannot be made; EACCES is
// what others than root get where Unreadable has been.
var refusals = []syscall.Errno{
	syscall.EACCES, syscall.EEXIST, syscall.EINVAL, syscall.EISDIR, syscall.ELOOP, syscall.ENAMETOOLONG,
	syscall.ENOENT, syscall.ENOTDIR, syscall.ENOTEMPTY,
}

// choose draws a change by its weight.
func (s *Storm) choose() change {
	sum := 0
	for _, c := range changes {
		sum += c.weight
	}
	n := s.rnd.IntN(sum)
	for _, c := range changes {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	panic("unreachable: n is below the sum of the weights")
}

// note adds paths to the description of the step, relative to the tree.
func (s *Storm) note(paths ...string) {
	for _, path := range paths {
		if rel, err := filepath.Rel(s.root, path); err == nil {
			path = rel
		}
		s.now = fmt.Appendf(s.now, " %q", path)
	}
}

// dir draws a directory of the tree, the root among them.
func (s *Storm) dir() string {
	at := s.root
	for s.rnd.IntN(4) > 0 {
		kid, ok := s.entry(at, fs.ModeDir)
		if !ok {
			break
		}
		at = kid
	}
	return at
}

// entry draws an entry of the directory dir whose type is one of types; 0 is a
// regular file.
func (s *Storm) entry(dir string, types ...fs.FileMode) (string, bool) {
	list, err := os.ReadDir(dir) // in order of names
	if err != nil {
		return "", false
	}
	var fit []string
	for _, e := range list {
		if slices.Contains(types, e.Type()) {
			fit = append(fit, e.Name())
		}
	}
	if len(fit) == 0 {
		return "", false
	}
	return filepath.Join(dir, fit[s.rnd.IntN(len(fit))]), true
}

// pick draws an entry of the tree whose type is one of types.
func (s *Storm) pick(types ...fs.FileMode) (string, error) {
	for range 8 {
		if path, ok := s.entry(s.dir(), types...); ok {
			return path, nil
		}
	}
	return "", fmt.Errorf("looking for an entry: %w", syscall.ENOENT)
}

// any draws an entry of any type.
func (s *Storm) any() (string, error) { return s.pick(0, fs.ModeDir, fs.ModeSymlink) }

// place draws a name in the tree, which may be taken or not.
func (s *Storm) place() string { return filepath.Join(s.dir(), s.name()) }

// content draws what a file holds: often little, sometimes nothing or much.
func (s *Storm) content() []byte {
	size := s.rnd.IntN(2000)
	switch s.rnd.IntN(10) {
	case 0:
		size = 0
	case 1:
		size = s.rnd.IntN(300_000)
	}
	return s.bytes(size)
}

func (s *Storm) bytes(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(s.rnd.Uint32())
	}
	return b
}

// moment draws a time between 1970 and 2036, to the nanosecond.
func (s *Storm) moment() time.Time {
	return time.Unix(s.rnd.Int64N(1<<31), s.rnd.Int64N(1e9))
}
