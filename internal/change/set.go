package change

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Mark says what of an entry may differ. Marks are bits and add up.
type Mark uint8

const (
	// Itself is the entry: its existence, type and attributes and, for a
	// regular file, its content. It says nothing of a directory's entries.
	Itself Mark = 1 << iota

	// Content comes with Itself when the content of a regular file was
	// written: it is compared even where size and modification time agree.
	Content

	// AllBelow is the entry and everything below it.
	AllBelow

	// Held is a file that the writer who created it still has open. It is
	// left out of pushes, also of those of an AllBelow above it, until it
	// is added again without Held.
	Held

	// Shared comes with Content when the file was written, as against the name
	// got another one: whatever other names the file has show it too.
	Shared
)

// DefaultLimit bounds a Set where no other limit is given. An entry costs
// about 175 bytes and its name, so a full set stays near 15 MB.
const DefaultLimit = 65536

// Set is the set of paths that may differ between the source and a node: a
// tree of path components whose marked nodes are the members. Adding a path
// twice changes nothing, and two sets merge.
//
// A Set is bounded. Past its limit its deepest entries are folded into
// AllBelow of their parents, in the end into AllBelow of the root: precision
// is lost, never a change. (What is lost with a folded entry is its Content
// and its Held.)
//
// The zero Set is empty and has DefaultLimit.
type Set struct {
	root  node
	nodes int       // nodes below the root
	len   int       // nodes with Itself or AllBelow, the root included
	limit int       // bound of nodes; 0 is DefaultLimit
	since time.Time // when the oldest change in it was noticed
}

type node struct {
	mark  Mark
	since time.Time // when the oldest change of it was noticed; zero where it is only held
	kids  map[string]*node
}

// date notes a change that was noticed at a time; the oldest counts.
func (n *node) date(at time.Time) { n.since = older(n.since, at) }

// older is the older of two times; a zero one is none.
func older(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// New returns an empty Set of at most limit entries.
func New(limit int) *Set { return &Set{limit: limit} }

// Full returns a Set that says: compare everything.
func Full(at time.Time) *Set {
	s := New(0)
	s.Add("", AllBelow, at)
	return s
}

// Len is the number of entries that are to be looked at.
func (s *Set) Len() int { return s.len }

// Empty reports whether there is nothing to look at.
func (s *Set) Empty() bool { return s.len == 0 }

// IsFull reports whether the whole tree is to be compared.
func (s *Set) IsFull() bool { return s.root.mark&AllBelow != 0 }

// Since is the time of the oldest change in the set, zero when it is empty.
func (s *Set) Since() time.Time { return s.since }

// SinceOf is the time of the oldest change in the set that concerns path: of it
// or of a directory above it that has AllBelow. For what is not in the set it
// is that of the whole set.
func (s *Set) SinceOf(path string) time.Time {
	var found time.Time
	n := &s.root
	for rest := path; rest != "" && n != nil; {
		if n.mark&AllBelow != 0 {
			found = older(found, n.since)
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		n = n.kids[name]
	}
	if n != nil && n.mark&(Itself|AllBelow) != 0 {
		found = older(found, n.since)
	}
	if found.IsZero() {
		return s.since
	}
	return found
}

// Add marks path with m; at is when the change was noticed. Itself is implied
// by every mark but Held, and by being marked a Held entry ceases to be held.
func (s *Set) Add(path string, m Mark, at time.Time) {
	if m == 0 {
		return
	}
	n, above := s.lookup(path, m)
	if m != Held {
		s.since = older(s.since, at)
		n.date(at)
	}
	if n != above {
		s.mark(n, m, above != nil)
	}
	s.bound()
}

// lookup returns the node of path, made where it is missing, and the lowest
// one above it that has AllBelow. If that makes m redundant it is both.
func (s *Set) lookup(path string, m Mark) (n, above *node) {
	n = &s.root
	for rest := path; rest != ""; {
		if n.mark&AllBelow != 0 {
			above = n
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		kid := n.kids[name]
		if kid == nil {
			if above != nil && m&(Content|Held) == 0 {
				return above, above
			}
			kid = s.grow(n, name)
		}
		n = kid
	}
	return n, above
}

func (s *Set) grow(n *node, name string) *node {
	if n.kids == nil {
		n.kids = make(map[string]*node, 1)
	}
	kid := &node{}
	n.kids[strings.Clone(name)] = kid
	s.nodes++
	return kid
}

func (s *Set) mark(n *node, m Mark, above bool) {
	switch {
	case m&Held != 0:
		n.mark |= Held
		return
	case above:
		m &^= AllBelow // said above already
	}
	was := n.mark
	n.mark = (was | m | Itself) &^ Held
	if was&(Itself|AllBelow) == 0 {
		s.len++
	}
	if m&AllBelow != 0 && was&AllBelow == 0 {
		s.prune(n)
	}
}

// prune drops what an AllBelow at n makes redundant below it: everything but
// what is marked Content or Held.
func (s *Set) prune(n *node) {
	for name, kid := range n.kids {
		s.prune(kid)
		n.date(kid.since)
		if kid.mark&(Content|Held) != 0 {
			kid.mark &^= AllBelow
			continue
		}
		if kid.mark != 0 {
			kid.mark, kid.since = 0, time.Time{}
			s.len--
		}
		if len(kid.kids) == 0 {
			delete(n.kids, name)
			s.nodes--
		}
	}
}

// Merge adds all of o, which is the newer of the two: what o holds is held,
// what it marks is no longer held. o is not changed and shares nothing with s
// afterwards.
func (s *Set) Merge(o *Set) {
	if o == nil {
		return
	}
	o.root.walk("", func(path string, n *node) bool {
		if n.mark&^Held != 0 {
			s.Add(path, n.mark&^Held, n.since)
		}
		if n.mark&Held != 0 {
			s.Add(path, Held, n.since)
		}
		return true
	})
}

// Clone returns a copy that shares nothing with s.
func (s *Set) Clone() *Set {
	c := New(s.limit)
	c.Merge(s)
	return c
}

// Covers reports whether path is in the set: itself, or below an AllBelow.
func (s *Set) Covers(path string) bool {
	n := &s.root
	for rest := path; rest != ""; {
		if n.mark&AllBelow != 0 {
			return true
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if n = n.kids[name]; n == nil {
			return false
		}
	}
	return n.mark&(Itself|AllBelow) != 0
}

// All returns every marked entry, parents before children and siblings in the
// order of their bytes.
func (s *Set) All() iter.Seq2[string, Mark] {
	return func(yield func(string, Mark) bool) {
		s.root.walk("", func(path string, n *node) bool { return yield(path, n.mark) })
	}
}

func (n *node) walk(path string, yield func(string, *node) bool) bool {
	if n.mark != 0 && !yield(path, n) {
		return false
	}
	if len(n.kids) == 1 { // most sets are of one path
		for name, kid := range n.kids {
			return kid.walk(join(path, name), yield)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.kids)) {
		if !n.kids[name].walk(join(path, name), yield) {
			return false
		}
	}
	return true
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
