package debounce

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"inosyncd/internal/change"
)

// model is a Queue without cleverness: no tree, no table in order, every
// question answered by going over everything.
type model struct {
	o       Options
	pending map[string]change.Mark
	first   time.Time
	moved   time.Time             // when the last name went whose new one has not come
	files   map[string]*modelFile // new, and not closed yet
}

type modelFile struct {
	since        time.Time
	wanted, told bool
	late         bool // pending already, but to be sent again
}

func (m *model) pend(path string, mark change.Mark, at time.Time) {
	if len(m.pending) == 0 || at.Before(m.first) {
		m.first = at
	}
	m.pending[path] |= mark
}

func (m *model) add(ev change.Event, now time.Time) {
	is := func(bits uint32) bool { return ev.Mask&bits != 0 }
	wanted := ev.AllBelow || ev.Mask|isDir == isDir || is(m.o.Mask) || is(isDir) && is(create|remove|movedFrom|movedTo)
	f := m.files[ev.Path]
	switch {
	case is(closed), ev.AllBelow, (is(movedTo|create) || ev.Mask|isDir == isDir) && !ev.Writing:
		if f != nil && (f.wanted || f.told || f.late) {
			m.pend(ev.Path, change.Itself|change.Content, now)
		}
		delete(m.files, ev.Path)
	case ev.Writing:
		if f == nil || f.late {
			f = &modelFile{since: now}
			m.files[ev.Path] = f
		}
		f.wanted = f.wanted || wanted
		return
	case is(remove | movedFrom):
		for path, f := range m.files {
			if path == ev.Path || is(isDir) && (ev.Path == "" || strings.HasPrefix(path, ev.Path+"/")) {
				if f.told && !f.late {
					m.pend(path, change.Itself, now)
				}
				delete(m.files, path)
			}
		}
	case f != nil && !f.late:
		f.wanted = f.wanted || wanted
		return
	}
	if wanted && is(movedFrom|movedTo) {
		if m.moved = now; is(movedTo) {
			m.moved = time.Time{}
		}
	}
	switch {
	case !wanted:
	case ev.AllBelow:
		m.pend(ev.Path, change.AllBelow|change.Itself, now)
	case !is(isDir) && is(closed|modify|movedTo|create):
		m.pend(ev.Path, change.Itself|change.Content, now)
	default:
		m.pend(ev.Path, change.Itself, now)
	}
}

func (m *model) due() time.Time {
	at := m.first.Add(m.o.Delay)
	if end := m.moved.Add(moveGrace); !m.moved.IsZero() && end.After(at) {
		return end // far less than movesGrace away: time goes on in seconds
	}
	return at
}

func (m *model) expire(now time.Time) {
	for path, f := range m.files {
		limit := f.since.Add(m.o.OpenLimit)
		if f.late || now.Before(limit) {
			continue
		}
		if f.wanted || f.told {
			m.pend(path, change.Itself|change.Content, limit)
		}
		if f.late = f.wanted || f.told; !f.late || m.o.Mask&closed != 0 {
			delete(m.files, path)
		}
	}
}

func (m *model) covers(path string) bool {
	for p, mark := range m.pending {
		if p == path || mark&change.AllBelow != 0 && (p == "" || strings.HasPrefix(path, p+"/")) {
			return true
		}
	}
	return false
}

// take is what a set holds of each path: whether it is covered, whether it is
// held, and whether its content counts as written.
func (m *model) take() (out []string) {
	for _, path := range universe {
		f := m.files[path]
		held := f != nil && !f.late && m.covers(path)
		if held {
			f.told = true
		}
		out = append(out, fmt.Sprint(path, m.covers(path), held, m.pending[path]&change.Content != 0))
	}
	m.pending, m.moved = map[string]change.Mark{}, time.Time{}
	return out
}

func took(s *change.Set) (out []string) {
	marks := maps.Collect(s.All())
	for _, path := range universe {
		out = append(out, fmt.Sprint(path, s.Covers(path), marks[path]&change.Held != 0, marks[path]&change.Content != 0))
	}
	return out
}

var universe = []string{"", "a", "a/b", "a/b/c", "a/d", "ab", "e", "\xff"}

// TestAgainstModel drives random histories through a Queue and its model.
func TestAgainstModel(t *testing.T) {
	masks := []uint32{change.DefaultMask, create, closed, movedTo, attrib, closed | create | remove}
	causes := []uint32{0, attrib, modify, closed, closed, create, remove, movedFrom, movedTo}
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			Mask:      rapid.SampledFrom(masks).Draw(t, "mask"),
			Delay:     time.Duration(rapid.IntRange(0, 3).Draw(t, "delay")) * second,
			OpenLimit: time.Duration(rapid.IntRange(1, 8).Draw(t, "open limit")) * second,
		}
		q, m, now := NewQueue(o), &model{o: o, pending: map[string]change.Mark{}, files: map[string]*modelFile{}}, t0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				now = now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "wait")) * second)
				checkTake(t, m, now, q.Take(now), false)
			case 1:
				if rapid.Bool().Draw(t, "flush") {
					checkTake(t, m, now, q.Flush(now), true)
				}
			default:
				ev := drawEvent(t, causes)
				q.Add(ev, now)
				m.add(ev, now)
			}
			checkDeadline(t, q, m)
		}
		checkEnd(t, q, m, now)
	})
}

func drawEvent(t *rapid.T, causes []uint32) change.Event {
	ev := change.Event{
		Path: rapid.SampledFrom(universe).Draw(t, "path"),
		Mask: rapid.SampledFrom(causes).Draw(t, "cause"),
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		ev.AllBelow = true
	case 1:
		ev.Mask |= isDir
	case 2, 3:
		ev.Mask, ev.Writing = create, ev.Path != ""
	}
	return ev
}

func checkTake(t *rapid.T, m *model, now time.Time, got *change.Set, flush bool) {
	m.expire(now)
	due := len(m.pending) > 0 && (flush || !now.Before(m.due()))
	if (got != nil) != due {
		t.Fatalf("Take(%v): got %v, want a set: %v", now.Sub(t0), lines(got), due)
	}
	if !due {
		return
	}
	want := m.take()
	if got := took(got); !slices.Equal(got, want) {
		t.Fatalf("Take(%v):\n got %q\nwant %q", now.Sub(t0), got, want)
	}
}

func checkDeadline(t *rapid.T, q *Queue, m *model) {
	var want time.Time
	earlier := func(at time.Time) {
		if want.IsZero() || at.Before(want) {
			want = at
		}
	}
	if len(m.pending) > 0 {
		earlier(m.due())
	}
	held := 0
	for _, f := range m.files {
		if f.late {
			continue
		}
		earlier(f.since.Add(m.o.OpenLimit))
		if f.wanted || f.told {
			held++
		}
	}
	if got, ok := q.Deadline(); ok != !want.IsZero() || !got.Equal(want) {
		t.Fatalf("Deadline(): got %v, %v, want %v", got.Sub(t0), ok, want.Sub(t0))
	}
	if got := q.Held(); got != held {
		t.Fatalf("Held(): got %d, want %d", got, held)
	}
}

// checkEnd waits until nothing is left: everything is handed out by itself.
func checkEnd(t *rapid.T, q *Queue, m *model, now time.Time) {
	for range 100 {
		at, ok := q.Deadline()
		if !ok {
			if q.Len() != 0 || q.Held() != 0 || !q.Since().IsZero() {
				t.Fatalf("the end: %d pending, %d held", q.Len(), q.Held())
			}
			return
		}
		if at.After(now) {
			now = at
		}
		checkTake(t, m, now, q.Take(now), false)
	}
	t.Fatalf("it does not come to an end: Deadline keeps saying that something is due")
}

// TestBacklogOfADeadNode merges everything that is handed out, as it is for a
// node that is down, with limits that fold at once: in the end whatever was
// wanted is covered, and nothing is held any longer.
func TestBacklogOfADeadNode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := NewQueue(Options{
			Mask: change.DefaultMask, OpenLimit: 3 * second,
			Limit: rapid.IntRange(1, 6).Draw(t, "limit"),
		})
		backlog := change.New(rapid.IntRange(1, 20).Draw(t, "backlog's limit"))
		take := func(now time.Time) {
			s := q.Take(now)
			backlog.Release(s)
			backlog.Merge(s)
		}
		wanted, now := map[string]bool{}, t0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "step") == 0 {
				now = now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "wait")) * second)
				take(now)
				continue
			}
			ev := drawEvent(t, []uint32{0, closed, remove, movedTo})
			q.Add(ev, now)
			if !ev.Writing {
				wanted[ev.Path] = true
			}
		}
		for at, ok := q.Deadline(); ok; at, ok = q.Deadline() {
			take(at)
		}
		for path := range wanted {
			if !backlog.Covers(path) {
				t.Fatalf("%q was wanted and is not in the backlog %q", path, lines(backlog))
			}
		}
		for path, m := range backlog.All() {
			if m&change.Held != 0 {
				t.Fatalf("%q is held for ever in the backlog %q", path, lines(backlog))
			}
		}
	})
}
