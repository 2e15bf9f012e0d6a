package debounce

import (
	"container/list"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// openFiles is the table of new files whose writers still have them open, the
// oldest first: they have one limit in common, so that is the order in which
// they expire. The zero value is empty.
type openFiles struct {
	byPath map[string]*list.Element // of *openFile
	order  list.List

	// late are files that were let go before they were closed, of interest
	// where IN_CLOSE_WRITE is not in the mask: their close counts
	// nevertheless, or half a file would stay on the nodes.
	late map[string]struct{}

	// moving are the files that were dropped as the first half of a rename
	// said, the last there was: the oldest first, each with what its path has
	// behind the one that was renamed.
	moving       []openFile
	movingCookie uint32
}

type openFile struct {
	path   string
	since  time.Time // when it was first seen
	wanted bool      // an event of it was in the mask
	told   bool      // a set that was handed out covers it
}

// due reports whether the file becomes pending when it is let go. A file of
// which no event was wanted stays unknown to the nodes unless a comparison has
// come across it: with a mask of IN_MOVED_TO alone only files that are renamed
// into place are sent.
func (f *openFile) due() bool { return f.wanted || f.told }

func (t *openFiles) len() int { return t.order.Len() }

func (t *openFiles) held(path string) *openFile {
	if e := t.byPath[path]; e != nil {
		return e.Value.(*openFile)
	}
	return nil
}

func (t *openFiles) oldest() *openFile {
	if e := t.order.Front(); e != nil {
		return e.Value.(*openFile)
	}
	return nil
}

// hold enters path. Of a file that is held already it is no news that it is
// open, and its limit runs on.
func (t *openFiles) hold(path string, wanted bool, now time.Time) {
	delete(t.late, path)
	if f := t.held(path); f != nil {
		f.wanted = f.wanted || wanted
		return
	}
	if t.byPath == nil {
		t.byPath = make(map[string]*list.Element)
	}
	path = strings.Clone(path)
	t.byPath[path] = t.order.PushBack(&openFile{path: path, since: now, wanted: wanted})
}

// arrive enters the files on the move with path before what is left of theirs.
// Their time runs on, so each goes where the order has its place.
func (t *openFiles) arrive(path string, wanted bool) {
	e := t.order.Front()
	for _, f := range t.moving {
		f.path, f.wanted, f.told = path+f.path, f.wanted || wanted, false
		if old := t.held(f.path); old != nil {
			if e == t.byPath[f.path] {
				e = e.Next()
			}
			t.drop(old)
		}
		for e != nil && !e.Value.(*openFile).since.After(f.since) {
			e = e.Next()
		}
		if e == nil {
			t.byPath[f.path] = t.order.PushBack(&f)
		} else {
			t.byPath[f.path] = t.order.InsertBefore(&f, e)
		}
	}
	t.moving, t.movingCookie = nil, 0
}

func (t *openFiles) drop(f *openFile) {
	t.order.Remove(t.byPath[f.path])
	delete(t.byPath, f.path)
}

// all yields every file, the oldest first. The file in hand may be dropped.
func (t *openFiles) all(yield func(*openFile) bool) {
	for e := t.order.Front(); e != nil; {
		next := e.Next()
		if !yield(e.Value.(*openFile)) {
			return
		}
		e = next
	}
}

// count is the number of files that are due.
func (t *openFiles) count() int {
	n := 0
	for f := range t.all {
		if f.due() {
			n++
		}
	}
	return n
}

// since is when the oldest file that is due was seen; zero without one.
func (t *openFiles) since() time.Time {
	for f := range t.all {
		if f.due() {
			return f.since
		}
	}
	return time.Time{}
}

// close ends the wait for path: what is there now is complete.
func (q *Queue) close(path string, now time.Time) {
	if _, late := q.open.late[path]; late {
		delete(q.open.late, path)
		q.pend(path, change.Itself|change.Content, now, now)
	}
	if f := q.open.held(path); f != nil {
		q.open.drop(f)
		if f.due() {
			q.pend(path, change.Itself|change.Content, f.since, now)
		}
	}
}

// release lets a file go whose writer has not closed it; it is pending from at
// on.
func (q *Queue) release(f *openFile, at time.Time) {
	q.open.drop(f)
	if !f.due() {
		return
	}
	q.pend(f.path, change.Itself|change.Content, f.since, at)
	if q.o.Mask&unix.IN_CLOSE_WRITE == 0 && len(q.open.late) < q.o.Limit {
		if q.open.late == nil {
			q.open.late = make(map[string]struct{})
		}
		q.open.late[f.path] = struct{}{}
	}
}

// expire lets go every file that has been waited for long enough.
func (q *Queue) expire(now time.Time) {
	for f := range q.open.all {
		limit := f.since.Add(q.o.OpenLimit)
		if now.Before(limit) {
			return
		}
		q.release(f, limit)
	}
}

// forget drops what was open at the event's path and, of a directory, below
// it. A set that marks one of them Held may lie in a node's backlog, so those
// become pending to end that.
func (q *Queue) forget(ev change.Event, now time.Time) {
	if ev.Cookie != 0 {
		q.open.moving, q.open.movingCookie = nil, ev.Cookie
	}
	gone := func(path string) bool { return path == ev.Path }
	if ev.Mask&unix.IN_ISDIR != 0 {
		gone = func(path string) bool { return within(path, ev.Path) }
		for path := range q.open.late {
			if gone(path) {
				delete(q.open.late, path)
			}
		}
	} else {
		delete(q.open.late, ev.Path)
		if q.open.held(ev.Path) == nil {
			return
		}
	}
	for f := range q.open.all {
		if !gone(f.path) {
			continue
		}
		q.open.drop(f)
		if f.told {
			q.pend(f.path, change.Itself, f.since, now)
		}
		if ev.Cookie != 0 {
			moved := *f
			moved.path = f.path[len(ev.Path):]
			q.open.moving = append(q.open.moving, moved)
		}
	}
}

// follow has the files that were open under the old name of ev's path wait
// under the new one, and reports whether the path is one of them: a rename is no
// close. Their limit runs on.
func (q *Queue) follow(ev change.Event, wanted bool, now time.Time) bool {
	if ev.Mask&unix.IN_MOVED_TO == 0 || ev.Cookie == 0 || ev.Cookie != q.open.movingCookie {
		return false
	}
	q.open.arrive(ev.Path, wanted)
	for q.open.len() > q.o.Limit {
		q.release(q.open.oldest(), now)
	}
	return q.open.held(ev.Path) != nil
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || dir == "" || rest[0] == '/')
}

// markHeld marks in s what is open and would otherwise be pushed with it.
func (q *Queue) markHeld(s *change.Set, now time.Time) {
	for f := range q.open.all {
		if s.Covers(f.path) {
			s.Add(f.path, change.Held, now)
			f.told = true
		}
	}
}
