package delta

import (
	"context"
	"os"
	"path"

	"inosyncd/internal/change"
)

// OtherNames returns the names that the set does not have of files that it
// says were written: what is written through one name of a file is under the
// others too, and inotify(7) tells of the one. There is no asking the kernel for
// them, so for a file that has several the tree is listed, until all are found;
// without one this costs nothing. Names that are excluded are left out. The
// error is ctx's.
func (p *Plan) OtherNames(ctx context.Context) ([]string, error) {
	if p.Full {
		return nil, nil
	}
	s := search{p: p, left: map[inode]uint64{}}
	for i := range p.Entries {
		if e := &p.Entries[i]; e.Mark&change.Shared != 0 && e.was.nlink > 1 {
			s.left[inode{e.was.dev, e.was.ino}] = e.was.nlink
		}
	}
	if len(s.left) == 0 {
		return nil, nil
	}
	if dir, err := openBelow(p.root, ""); err == nil {
		s.below(ctx, dir, "")
	}
	return s.found, ctx.Err()
}

// search looks for the names of files.
type search struct {
	p     *Plan
	left  map[inode]uint64 // how many names of each are still to be found
	found []string         // those that the plan's set does not cover
}

type inode struct{ dev, ino uint64 }

// below looks in dir, which it closes, and in the directories below it. One that
// cannot be read has no names for rsync either.
func (s *search) below(ctx context.Context, dir *os.File, at string) {
	defer dir.Close()
	_ = s.p.list(dir, at, func(name string, st stat) bool {
		switch {
		case st.regular():
			s.name(path.Join(at, name), inode{st.dev, st.ino})
		case st.dir() && s.p.recursive:
			if sub, err := openBelow(dir, name); err == nil {
				s.below(ctx, sub, path.Join(at, name))
			}
		}
		return len(s.left) > 0 && ctx.Err() == nil
	})
}

func (s *search) name(name string, of inode) {
	n, wanted := s.left[of]
	switch {
	case !wanted:
		return
	case n == 1:
		delete(s.left, of)
	default:
		s.left[of] = n - 1
	}
	if !s.p.set.Covers(name) {
		s.found = append(s.found, name)
	}
}
