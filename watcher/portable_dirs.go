package watcher

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"inosyncd/internal/alive"
	"inosyncd/internal/filter"
)

// dirs is the tree of directories that a library watches. It is kept equal to
// what is there, not to what events tell: a directory that may have changed is
// forgotten with all below it and built again from its parent.
//
// Two rules keep it and the library in step. An inode has one owner: the
// kernel watches inodes, so a directory that turns up at another path takes
// the watch away from the path that had it. And a watch is confirmed: a path
// is looked at before and after it is handed to the library, which follows it
// by name.
type dirs struct {
	base      string        // absolute path of the root, links resolved
	rules     *filter.Rules // directories they exclude are not in the tree
	recursive bool
	lib       library
	alive     alive.Asks // answered for every directory

	root   *dir
	owners map[dirID]*dir
	missed int   // directories that are not watched or could not be read
	err    error // the first reason for one, until somebody takes it
}

type dir struct {
	parent *dir // nil for the root
	name   string
	kids   map[string]*dir
	id     dirID
	missed bool // not watched, or its entries could not be read
	gone   bool // no longer in the tree
}

// dirID tells directories apart while they are watched: the watch keeps the
// inode, so its number is not used again.
type dirID struct{ dev, ino uint64 }

var (
	// errAlias is why a second way to a watched directory, as by a bind
	// mount, is not watched.
	errAlias = errors.New("the directory is watched under another path")

	// errRestless is why a path is not watched that leads to another
	// directory each time. Each change is an event of its own; this ends
	// the chase on file systems whose inode numbers do not last.
	errRestless = errors.New("the directory is exchanged all the time")
)

// build makes the tree anew. The library watches nothing when it is called, or
// what it watches is watched once more.
func (t *dirs) build(ctx context.Context) {
	t.root, t.owners, t.missed = &dir{}, make(map[dirID]*dir), 0
	t.attach(ctx, t.root)
}

// refresh builds the tree at path, which is not the root, again.
func (t *dirs) refresh(ctx context.Context, path string) {
	above, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		above, name = path[:i], path[i+1:]
	}
	parent := t.find(above)
	if parent == nil {
		return // a directory above has changed, which is a hint of its own
	}
	if kid := parent.kids[name]; kid != nil {
		t.detach(kid)
	}
	if t.recursive && !t.rules.Match(path, true) {
		t.attach(ctx, parent.grow(name))
	}
}

// attach watches top and all directories below it, as far as they are there.
func (t *dirs) attach(ctx context.Context, top *dir) {
	for todo := []*dir{top}; len(todo) > 0 && ctx.Err() == nil; {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		t.alive.Answer()
		if !d.gone && t.watch(d) && t.recursive {
			todo = append(todo, t.list(d)...)
		}
	}
}

// watch watches d and reports whether its entries are to be listed. The
// listing is opened after the watch is set, so what is made in between is in
// the listing or an event.
func (t *dirs) watch(d *dir) bool {
	path := t.path(d)
	for range 3 {
		id, err := lookAt(path)
		switch {
		case vanished(err): // which is an event of the directory above
			t.detach(d)
			return false
		case err != nil:
			t.miss(d, err)
			return false
		case !t.own(d, id):
			return false
		}
		err = t.lib.add(path)
		if now, e := lookAt(path); e == nil && now == id {
			if err != nil {
				delete(t.owners, id)
				t.miss(d, err) // those below are tried all the same, and counted
			}
			return true
		}
		t.release(d)
	}
	t.miss(d, &fs.PathError{Op: "watch", Path: path, Err: errRestless})
	return false
}

// own makes d the owner of the watch on id, if it can be had.
func (t *dirs) own(d *dir, id dirID) bool {
	if owner := t.owners[id]; owner != nil && owner != d {
		if now, err := lookAt(t.path(owner)); err == nil && now == id {
			t.miss(d, &fs.PathError{Op: "watch", Path: t.path(d), Err: errAlias})
			return false
		}
		t.detach(owner)
	}
	if d.gone { // it was below the owner, whose path is another's now
		return false
	}
	d.id = id
	t.owners[id] = d
	return true
}

// release gives up what d owns.
func (t *dirs) release(d *dir) {
	if t.owners[d.id] == d {
		delete(t.owners, d.id)
		t.lib.drop(t.path(d))
	}
}

// list returns the directories in d that are to be watched.
func (t *dirs) list(d *dir) []*dir {
	rel := t.rel(d)
	entries, err := os.ReadDir(t.path(d))
	if err != nil && !vanished(err) {
		t.miss(d, err)
	}
	var kids []*dir
	for _, e := range entries {
		if e.IsDir() && !t.rules.Match(join(rel, e.Name()), true) {
			kids = append(kids, d.grow(e.Name()))
		}
	}
	return kids
}

// detach takes d and all below it out of the tree and out of the library.
func (t *dirs) detach(d *dir) {
	for _, kid := range d.kids {
		t.detach(kid)
	}
	d.gone = true
	if d.missed {
		t.missed--
	}
	t.release(d)
	if d.parent != nil {
		delete(d.parent.kids, d.name)
	}
}

func (t *dirs) miss(d *dir, err error) {
	if !d.missed {
		d.missed = true
		t.missed++
	}
	if t.err == nil {
		t.err = err
	}
}

// find returns the directory at path, nil when it is not in the tree.
func (t *dirs) find(path string) *dir {
	d := t.root
	for rest := path; rest != "" && d != nil; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		d = d.kids[name]
	}
	return d
}

// rel is the path of d relative to the root, path the one to reach it by.
func (t *dirs) rel(d *dir) string {
	if d.parent == nil {
		return ""
	}
	return join(t.rel(d.parent), d.name)
}

func (t *dirs) path(d *dir) string { return filepath.Join(t.base, t.rel(d)) }

func (d *dir) grow(name string) *dir {
	if d.kids == nil {
		d.kids = make(map[string]*dir)
	}
	kid := &dir{parent: d, name: name}
	d.kids[name] = kid
	return kid
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// lookAt tells which directory is at path, without following a link.
func lookAt(path string) (dirID, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return dirID{}, err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || !fi.IsDir() {
		return dirID{}, &fs.PathError{Op: "watch", Path: path, Err: syscall.ENOTDIR}
	}
	return dirID{dev: uint64(st.Dev), ino: st.Ino}, nil //nolint:unconvert // Dev is an int32 on some systems
}

// vanished reports whether err only says that there is no directory any more.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
