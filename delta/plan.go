// Package delta makes a node equal to the source.
//
// A change set says where to look; a [Plan] is what was found there. It is made at
// the time of the push, from the source as it is then, so events that come late,
// twice or in the wrong order do no harm. Every path is walked component by
// component from the descriptor of the root directory, whose identity was checked
// when it was opened, and no link is followed. What cannot be read counts neither as
// present nor as missing: it is not sent, never deleted, and left for later.
//
// How entries get to a node is the engine's affair: delta/rsync drives a stock
// rsync; [Pretend] only logs what would be pushed.
//
// # Ordering
//
// A plan lists parents before children. An engine sends what exists before it
// deletes what is missing, so a moved file is somewhere at all times.
//
// # Blocking and shutdown
//
// A plan reads file systems and blocks as long as they do. It starts no goroutine,
// and Close releases its descriptors. A Plan is for one goroutine at a time.
package delta

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/fault"
	"inosyncd/internal/filter"
	"inosyncd/internal/source"
)

// Entry is something that exists in the source.
type Entry struct {
	Path    string      // relative to the root; "" is the root
	Mark    change.Mark // AllBelow only on a directory that is to be compared whole
	Covered bool        // below a directory that is compared whole

	was  stat
	read bool // by Sent: the version that it was has been read whole
}

// Dir reports whether the entry is a directory.
func (e *Entry) Dir() bool { return e.was.dir() }

// Regular reports whether the entry is a regular file.
func (e *Entry) Regular() bool { return e.was.regular() }

// Missing is something that the source no longer has. Nothing above it is
// missing too.
type Missing struct {
	Path string

	// OneKind says that the path is excluded as a directory and not as
	// anything else, or the other way round: what the node has there decides
	// whether it goes. The source may have an excluded one.
	OneKind bool
}

// Plan is what a change set came to when the source was looked at.
type Plan struct {
	Full    bool      // the whole tree is to be compared
	Entries []Entry   // what exists, parents first
	Missing []Missing // what is gone: the topmost missing ancestors
	Held    []string  // what is left out: its writer still has it open, or it is unmounted

	Unread *change.Set // what could not be looked at; nil when there is none
	Err    error       // why; the first reason of several

	root      *os.File // the root directory, opened with its identity checked
	rules     *filter.Rules
	recursive bool
	set       *change.Set    // what the plan was made of
	unmounted []string       // places that are left; see unmounted.go
	began     time.Time      // before anything was looked at
	index     map[string]int // of Entries by their paths; made by Sent
	covered   string         // the last directory that is compared whole
	inside    bool           // whether covered is set
	tree      tree
}

// NewPlan looks at the source for every entry of set. Without recursive,
// entries more than one level down are dropped and a directory is only itself.
//
// The error wraps [source.ErrGone] when the root is not the adopted directory.
// A path that cannot be looked at is no error: see Unread. The caller closes
// the plan, and leaves set as it is until then.
func NewPlan(root *source.Root, rules *filter.Rules, recursive bool, set *change.Set) (*Plan, error) {
	dir, err := root.Open()
	if err != nil {
		return nil, err
	}
	if err := fault.Fail("delta: plan"); err != nil {
		_ = dir.Close()
		return nil, err
	}
	p := &Plan{
		Full:      set.IsFull(),
		root:      dir,
		rules:     rules,
		recursive: recursive,
		set:       set,
		began:     time.Now(),
		inside:    set.IsFull(),
		tree:      tree{root: int(dir.Fd())},
	}
	defer p.tree.close()
	if recursive {
		p.leaveUnmounted(root.Unmounted(dir))
	}
	for path, mark := range set.All() {
		p.look(path, mark)
	}
	return p, nil
}

// Close releases the root directory, and the way to what was looked at last.
func (p *Plan) Close() error {
	p.tree.close()
	return p.root.Close()
}

// Root is the root directory that the plan looked at: the directory itself,
// whatever its path may lead to by now. It is closed with the plan.
func (p *Plan) Root() *os.File { return p.root }

// Len is the number of entries that an engine is to deal with.
func (p *Plan) Len() int {
	n := len(p.Missing)
	if p.Full {
		n++
	}
	for i := range p.Entries {
		if !p.Entries[i].Covered {
			n++
		}
	}
	return n
}

// List returns the paths of the plan, parents first, "." for the root.
func (p *Plan) List() []string {
	list := make([]string, 0, p.Len())
	if p.Full {
		list = append(list, ".")
	}
	for i := range p.Entries {
		if e := &p.Entries[i]; !e.Covered {
			list = append(list, name(e.Path))
		}
	}
	for _, m := range p.Missing {
		list = append(list, m.Path)
	}
	return list
}

func name(path string) string {
	if path == "" {
		return "."
	}
	return path
}

func (p *Plan) look(path string, mark change.Mark) {
	if path == "" && p.Full {
		return // comparing the whole tree includes the root
	}
	if !p.recursive && strings.Contains(path, "/") {
		return
	}
	if mark&change.Held != 0 {
		p.Held = append(p.Held, path)
		return
	}
	if p.isUnmounted(path) {
		return
	}
	at, st, err := p.tree.stat(path)
	switch {
	case err == nil:
		p.exists(at, st, mark, at == path)
	case errors.Is(err, unix.ENOENT):
		p.missing(at)
	default:
		p.unread(path, mark, fmt.Errorf("looking at %q: %w", at, err))
	}
}

// exists takes in the entry at path. whole says that it is what was marked,
// not an ancestor of it that is no directory any more.
func (p *Plan) exists(path string, st stat, mark change.Mark, whole bool) {
	if p.rules.Excluded(path, st.dir()) {
		p.missing(path)
		return
	}
	if !whole {
		mark |= change.Content // nothing is known of what took its place
	}
	if !st.regular() {
		mark &^= change.Content | change.Shared
	}
	if n := len(p.Entries); n > 0 && p.Entries[n-1].Path == path {
		p.Entries[n-1].Mark |= mark & (change.Content | change.Shared)
		return // reached before, from another path below it
	}
	e := Entry{Path: path, Mark: mark, was: st, Covered: p.within(path)}
	switch {
	case e.Covered || !st.dir() || !p.recursive:
		e.Mark &^= change.AllBelow
	case mark&change.AllBelow != 0:
		p.covered, p.inside = path, true
	}
	p.Entries = append(p.Entries, e)
}

// missing takes in that the source has nothing at path that is mirrored.
func (p *Plan) missing(path string) {
	asDir, asFile := p.rules.Excluded(path, true), p.rules.Excluded(path, false)
	if asDir && asFile || p.within(path) {
		return // comparing the directory above finds it
	}
	if n := len(p.Missing); n > 0 && p.Missing[n-1].Path == path {
		return
	}
	p.Missing = append(p.Missing, Missing{Path: path, OneKind: asDir != asFile})
}

func (p *Plan) unread(path string, mark change.Mark, err error) {
	if p.rules.Excluded(path, true) {
		return
	}
	if p.Unread == nil {
		p.Unread, p.Err = change.New(0), err
	}
	p.Unread.Add(path, mark|change.Itself, p.set.SinceOf(path))
}

// within reports whether path is below a directory that is compared whole.
// Entries come in the order of the tree, so the last such directory decides.
func (p *Plan) within(path string) bool { return p.inside && below(path, p.covered) }

// below reports whether path is a proper descendant of dir.
func below(path, dir string) bool {
	if dir == "" {
		return path != ""
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}
