// Package nodelog keeps the last log lines about each node in memory, for the
// node's page, wherever the log itself goes.
//
// A line belongs to a node by its attributes "mirror" and "node". One that has only
// a mirror concerns all nodes of that mirror. Lines at debug are not kept.
//
// # Ordering
//
// Lines of a node are in the order in which they were logged.
//
// # Blocking
//
// Nothing here waits. Memory is bounded by lines and bytes per node, and by the
// number of nodes; the node that was silent longest is forgotten first.
//
// # Shutdown
//
// There is nothing to close.
package nodelog

import (
	"bytes"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	maxLines = 200      // of a node
	maxBytes = 32 << 10 // of a node's lines
	maxLine  = 2 << 10  // bytes of a line; the rest is cut off
	maxNodes = 1024
)

// Line is a line of the log.
type Line struct {
	Time  time.Time
	Level slog.Level
	Text  string // the message and its attributes; control bytes are escaped
}

// Book holds the lines. Its methods may be called from any goroutine.
type Book struct {
	mu    sync.Mutex
	buf   bytes.Buffer   // guarded by mu: the attributes of one line
	nodes map[key]*lines // guarded by mu
}

// key is a node; without Node it is what concerns a whole mirror.
type key struct{ mirror, node string }

type lines struct {
	all  []Line // oldest first
	size int    // bytes of their text
}

// New returns an empty book.
func New() *Book { return &Book{nodes: map[key]*lines{}} }

// Lines are those that concern a node, the oldest first.
func (b *Book) Lines(mirror, node string) []Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Line
	for _, k := range []key{{mirror, ""}, {mirror, node}} {
		if l := b.nodes[k]; l != nil {
			all = append(all, l.all...)
		}
	}
	slices.SortStableFunc(all, func(a, b Line) int { return a.Time.Compare(b.Time) })
	return all[max(0, len(all)-maxLines):]
}

// add adds a line; b.mu is held.
func (b *Book) add(k key, line Line) {
	l := b.nodes[k]
	if l == nil {
		if len(b.nodes) >= maxNodes {
			b.forget()
		}
		l = new(lines)
		b.nodes[k] = l
	}
	l.all = append(l.all, line)
	l.size += len(line.Text)
	drop := 0
	for ; len(l.all)-drop > maxLines || l.size > maxBytes; drop++ {
		l.size -= len(l.all[drop].Text)
	}
	l.all = slices.Delete(l.all, 0, drop)
}

// forget forgets the node that was silent longest; b.mu is held.
func (b *Book) forget() {
	var oldest key
	var at time.Time
	for k, l := range b.nodes {
		if last := l.all[len(l.all)-1].Time; at.IsZero() || last.Before(at) {
			oldest, at = k, last
		}
	}
	delete(b.nodes, oldest)
}
