package fanout

import (
	"strings"
	"time"

	"inosyncd/internal/change"
)

// What a node's memory may take. A path is reckoned with what a map takes for
// it, so there is room for some 10,000 paths of usual length.
const (
	memoryLimit = 2 << 20 // bytes
	memoryEntry = 128     // bytes beside the path itself
)

// memory is when a node has last confirmed which path. It is bounded: it has two
// generations, and when the young one has taken its half, the old one is
// forgotten. What a full sync confirms is not in it.
type memory struct {
	limit      int // bytes
	young, old generation
}

type generation struct {
	since time.Time // of everything since then, while it was the young one
	used  int       // bytes
	paths map[string]confirmed
}

type confirmed struct {
	at    time.Time
	below bool // with all that is below it
}

func newMemory(now time.Time) memory {
	return memory{
		limit: memoryLimit,
		young: generation{since: now, paths: map[string]confirmed{}},
		old:   generation{since: now},
	}
}

// confirm notes that a push which ended at now has brought everything of sent to
// the node but what concerns left.
func (m *memory) confirm(sent, left *change.Set, now time.Time) {
	for path, mark := range sent.All() {
		below := mark&change.AllBelow != 0
		switch {
		case mark&^change.Held == 0, path == "" && below:
		case left != nil && left.Touches(path):
		default:
			m.note(path, confirmed{now, below})
		}
	}
}

func (m *memory) note(path string, c confirmed) {
	if _, ok := m.young.paths[path]; !ok {
		m.young.used += len(path) + memoryEntry
	}
	m.young.paths[path] = c
	if m.young.used > m.limit/2 {
		m.old = m.young
		m.young = generation{since: c.at, paths: map[string]confirmed{}}
	}
}

// last is when path was last confirmed by its name, or as part of a directory
// above it that was compared whole; zero: not since the time that is returned
// with it.
func (m *memory) last(path string) (at, since time.Time) {
	for _, g := range []generation{m.young, m.old} {
		for name, whole := path, true; ; whole = false {
			if c, ok := g.paths[name]; ok && (whole || c.below) && c.at.After(at) {
				at = c.at
			}
			i := strings.LastIndexByte(name, '/')
			if name == "" || i < 0 {
				break
			}
			name = name[:i]
		}
	}
	return at, m.old.since
}
