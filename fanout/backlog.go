package fanout

import (
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/fault"
)

// backlog is everything that one node has not confirmed. It is a value that
// knows no goroutine.
//
// What could not be made equal waits in later for the next try. That need not
// hold up the rest: one unreadable file is no reason to keep new changes from
// a node that takes them. But when nothing of what was new went through, the
// node itself is the matter, and all waits.
type backlog struct {
	limit int
	fresh *change.Set // not tried yet
	later *change.Set // failed; tried again at next
	next  time.Time
	stuck bool // fresh waits for next as well

	sent    *change.Set // in the running push; nil when none runs
	newPart *change.Set // what of sent came from fresh
	oldPart *change.Set // and from later; nil when that was not due
	kicked  bool        // since the push began: what it fails at is due at once
}

func newBacklog(limit int) *backlog {
	return &backlog{limit: limit, fresh: change.New(limit), later: change.New(limit)}
}

// add adds a set that is newer than everything before it.
func (b *backlog) add(set *change.Set) {
	b.fresh.Release(set)
	b.fresh.Merge(set)
}

// due reports whether there is something to push at now, and if not, when
// there will be; the zero time: not before something is added.
func (b *backlog) due(now time.Time) (at time.Time, ok bool) {
	open := !now.Before(b.next)
	switch {
	case b.empty():
		return time.Time{}, false
	case open, !b.stuck && !b.fresh.Empty():
		return now, true
	default:
		return b.next, false
	}
}

func (b *backlog) empty() bool { return b.fresh.Empty() && b.later.Empty() }

// take begins a push of what is due at now.
func (b *backlog) take(now time.Time) *change.Set {
	b.sent, b.newPart, b.oldPart = b.fresh, b.fresh, nil
	if !now.Before(b.next) {
		b.stuck = false
		if !b.later.Empty() {
			b.sent, b.oldPart = b.over(b.later, b.fresh), b.later
		}
		b.later = change.New(b.limit)
	}
	b.fresh = change.New(b.limit)
	return b.sent
}

// over returns older with newer on top, in a set of its own.
func (b *backlog) over(older, newer *change.Set) *change.Set {
	s := change.New(b.limit)
	s.Merge(older)
	s.Release(newer)
	s.Merge(newer)
	return s
}

// confirm ends a push that left only left, which is pushed again without delay.
// It reports whether nothing of what failed before is waiting any longer.
func (b *backlog) confirm(left *change.Set) bool {
	b.giveBack(left)
	return b.later.Empty()
}

// giveBack ends a push without a word on the node: what is left of it is due
// as before.
func (b *backlog) giveBack(left *change.Set) {
	if left != nil {
		b.fresh = b.over(left, b.fresh)
	}
	b.end()
}

// fail ends a push that left left, which is tried again at next. all says that
// nothing at all is to be tried before.
func (b *backlog) fail(left *change.Set, all bool, next time.Time) {
	waiting := !b.later.Empty() // for its own time, which new failures do not put off
	b.later = b.over(b.later, left)
	fault.Point("fanout: requeued")
	if all || !waiting {
		b.next = next
	}
	b.stuck = all
	b.end()
}

func (b *backlog) end() {
	fault.Point("fanout: backlog settled")
	b.sent, b.newPart, b.oldPart = nil, nil, nil
	if b.kicked {
		b.kick()
	}
}

// kick makes everything due, and what the running push will have failed at.
func (b *backlog) kick() {
	b.next, b.stuck = time.Time{}, false
	b.kicked = b.sent != nil
}

// sooner makes what failed due at the time at, if it is not due before.
func (b *backlog) sooner(at time.Time) {
	if at.Before(b.next) {
		b.next = at
	}
}

// progress says of a push that left left whether something of its new part
// went through (or there was none), and something of what had failed before.
func (b *backlog) progress(left *change.Set) (fresh, failed bool) {
	return b.newPart.Empty() || passed(b.newPart, left), b.oldPart != nil && passed(b.oldPart, left)
}

// passed reports whether some entry of set is not left.
func passed(set, left *change.Set) bool {
	for path, m := range set.All() {
		if m&(change.Itself|change.AllBelow) != 0 && !left.Covers(path) {
			return true
		}
	}
	return false
}

// sets are all parts, without the empty ones.
func (b *backlog) sets(yield func(*change.Set) bool) {
	for _, s := range []*change.Set{b.sent, b.later, b.fresh} {
		if s != nil && !s.Empty() && !yield(s) {
			return
		}
	}
}

// len is the number of entries that the node has not confirmed. One that is
// being pushed and has changed since counts twice.
func (b *backlog) len() int {
	n := 0
	for s := range b.sets {
		n += s.Len()
	}
	return n
}

// since is when the oldest change was noticed; zero when all is confirmed.
func (b *backlog) since() time.Time {
	var since time.Time
	for s := range b.sets {
		if since.IsZero() || s.Since().Before(since) {
			since = s.Since()
		}
	}
	return since
}

func (b *backlog) covers(path string) bool {
	for s := range b.sets {
		if s.Covers(path) {
			return true
		}
	}
	return false
}
