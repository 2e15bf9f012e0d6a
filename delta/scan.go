package delta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// Empty reports whether the source has nothing that is mirrored.
func (p *Plan) Empty() (bool, error) {
	dir, err := openBelow(p.root, "")
	if err != nil {
		return false, err
	}
	defer dir.Close()
	empty := true
	err = p.list(dir, "", func(string, stat) bool {
		empty = false
		return false
	})
	return empty, err
}

// Linked reports whether anything but a directory that the plan names, or that
// is below a directory it compares whole, has more than one name. The other
// names can be anywhere in the tree: there is no asking the kernel for them.
// The error is ctx's.
func (p *Plan) Linked(ctx context.Context) (bool, error) {
	for i := range p.Entries {
		e := &p.Entries[i]
		if !e.Dir() && e.was.nlink > 1 {
			return true, nil
		}
		if e.Mark&change.AllBelow == 0 {
			continue
		}
		dir, err := openBelow(p.root, e.Path)
		if err != nil {
			continue // gone or replaced since: Changed finds that
		}
		linked := p.linked(ctx, dir, e.Path)
		if linked || ctx.Err() != nil {
			return linked, ctx.Err()
		}
	}
	return false, nil
}

// linked looks for an entry with several names below dir, which it closes.
func (p *Plan) linked(ctx context.Context, dir *os.File, at string) bool {
	defer dir.Close()
	var found bool
	err := p.list(dir, at, func(name string, st stat) bool {
		if !st.dir() {
			found = st.nlink > 1
		} else if sub, err := openBelow(dir, name); err == nil {
			found = p.linked(ctx, sub, path.Join(at, name))
		}
		return !found && ctx.Err() == nil
	})
	return found && err == nil
}

// list calls visit for every entry of dir that is mirrored, until visit
// returns false.
func (p *Plan) list(dir *os.File, at string, visit func(name string, st stat) bool) error {
	for {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			st, err := statAt(int(dir.Fd()), name)
			if err != nil || p.rules.Match(path.Join(at, name), st.dir()) {
				continue
			}
			if !visit(name, st) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing %q: %w", dir.Name(), err)
		}
	}
}

// openBelow opens the directory at name below dir for reading, following no
// link on the way.
func openBelow(dir *os.File, name string) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	}
	if name == "" {
		name = "."
	}
	fd, err := unix.Openat2(int(dir.Fd()), name, &how)
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
