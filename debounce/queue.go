// Package debounce turns the events of a mirror into change sets that are due: it
// drops events that the mask does not name, collects what comes within the delay,
// and holds back new files that are still being written.
//
// A [Queue] is a value without clock or goroutine. A [Loop] runs one.
//
// # Ordering
//
// A set holds everything that became pending before it was handed out. Sets are
// handed out one at a time, oldest first. What a set covers and does not mark Held
// was not held when it was handed out.
//
// # Blocking
//
// Adding never blocks. Both tables are bounded: the pending set folds entries into
// their parents, the table of open files releases the oldest early.
//
// # Shutdown
//
// [Loop.Flush] hands out what is pending, [Loop.Close] ends the loop. The full sync
// of the next start finds what is then still held.
package debounce

import (
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// Options say what becomes pending, and when it is due.
type Options struct {
	// Mask is the inotify(7) bits that make a path pending. Changes of
	// directories are pending whatever it says.
	Mask uint32

	// Delay is the time from the first pending event until the set is due.
	// Later events do not prolong it: it is no wait for quiet. 0: due at
	// once.
	Delay time.Duration

	// OpenLimit is the longest wait for the writer of a new file to close
	// it. 0: new files are not held back.
	OpenLimit time.Duration

	// Limit bounds the entries of the pending set and, separately, the
	// table of open files; 0 is change.DefaultLimit.
	Limit int
}

// Queue holds what is pending for the nodes of a mirror. It is not safe for
// concurrent use. The times it is given do not go back.
type Queue struct {
	o     Options
	set   *change.Set
	first time.Time // when set ceased to be empty
	half  time.Time // until when the other half of a move is waited for
	open  openFiles
}

// The kernel reports the old and the new name of a move in two steps (inotify(7),
// "Dealing with rename() events"). A set taken in between would make the nodes
// remove a file that they get again only later. So the old name waits moveGrace for
// the new one, which may never come: it may be outside the tree. On a busy machine
// the two are tens of milliseconds apart. Many such moves delay a set by movesGrace
// at most.
const (
	moveGrace  = 100 * time.Millisecond
	movesGrace = 500 * time.Millisecond
)

// NewQueue returns an empty Queue.
func NewQueue(o Options) *Queue {
	if o.Limit <= 0 {
		o.Limit = change.DefaultLimit
	}
	return &Queue{o: o, set: change.New(o.Limit)}
}

// Add records an event that was seen at now.
func (q *Queue) Add(ev change.Event, now time.Time) {
	wanted := q.o.wants(ev)
	switch q.o.effect(ev) {
	case opens:
		q.open.hold(ev.Path, wanted, now)
		for q.open.len() > q.o.Limit {
			q.release(q.open.oldest(), now)
		}
		return
	case closes:
		q.close(ev.Path, now)
		if q.follow(ev, wanted, now) {
			q.half = time.Time{}
			return
		}
	case leaves:
		q.forget(ev, now)
	case stays:
		if f := q.open.held(ev.Path); f != nil {
			f.wanted = f.wanted || wanted
			return
		}
	}
	if !wanted {
		return
	}
	switch {
	case ev.Mask&unix.IN_MOVED_TO != 0:
		q.half = time.Time{}
	case ev.Mask&unix.IN_MOVED_FROM != 0:
		q.half = now.Add(moveGrace)
	}
	q.pend(ev.Path, marks(ev), now, now)
}

// pend marks path, whose oldest change was noticed at since; it is pending
// from at on.
func (q *Queue) pend(path string, m change.Mark, since, at time.Time) {
	if q.set.Empty() || at.Before(q.first) {
		q.first = at
	}
	q.set.Add(path, m, since)
}

// Deadline is when to call Take next: when the pending set is due, or a held file
// has waited for long enough. ok is false if there is neither.
func (q *Queue) Deadline() (at time.Time, ok bool) {
	if !q.set.Empty() {
		at, ok = q.due(), true
	}
	if f := q.open.oldest(); f != nil {
		if limit := f.since.Add(q.o.OpenLimit); !ok || limit.Before(at) {
			at, ok = limit, true
		}
	}
	return at, ok
}

// due is when the pending set is; it is not empty.
func (q *Queue) due() time.Time {
	at := q.first.Add(q.o.Delay)
	if q.half.After(at) {
		return earlier(q.half, at.Add(movesGrace))
	}
	return at
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Take returns the pending set and begins a new one, or returns nil when
// nothing is due at now.
func (q *Queue) Take(now time.Time) *change.Set {
	q.expire(now)
	if q.set.Empty() || now.Before(q.due()) {
		return nil
	}
	return q.hand(now)
}

// Flush is Take without waiting for the delay. Held files stay held.
func (q *Queue) Flush(now time.Time) *change.Set {
	q.expire(now)
	if q.set.Empty() {
		return nil
	}
	return q.hand(now)
}

// Full returns the set for a comparison of everything except held files. Pending
// entries stay pending.
func (q *Queue) Full(now time.Time) *change.Set {
	q.expire(now)
	s := change.New(q.o.Limit)
	s.Add("", change.AllBelow, now)
	q.markHeld(s, now)
	return s
}

func (q *Queue) hand(now time.Time) *change.Set {
	s := q.set
	q.set, q.first, q.half = change.New(q.o.Limit), time.Time{}, time.Time{}
	q.markHeld(s, now)
	return s
}

// Len is the number of pending entries, without the held ones.
func (q *Queue) Len() int { return q.set.Len() }

// Held is the number of files that become pending once they are closed.
func (q *Queue) Held() int { return q.open.count() }

// Since is when the oldest change that is pending or held was noticed; zero
// when there is none.
func (q *Queue) Since() time.Time {
	since := q.set.Since()
	if held := q.open.since(); since.IsZero() || !held.IsZero() && held.Before(since) {
		since = held
	}
	return since
}

// Covers reports whether path is pending or held.
func (q *Queue) Covers(path string) bool {
	f := q.open.held(path)
	return f != nil && f.due() || q.set.Covers(path)
}
