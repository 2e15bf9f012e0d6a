package debounce

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

const second = time.Second

// step is what happens to a Queue at a time, and what it hands out then.
type step struct {
	at   time.Duration // since t0
	evs  events
	want []string // of Take, after evs
}

// TestMovesOut has files moved out of the tree all the time.
func TestMovesOut(t *testing.T) {
	q := NewQueue(Options{Mask: change.DefaultMask})
	t0 := time.Now()
	for at := time.Duration(0); at < movesGrace; at += moveGrace / 2 {
		q.Add(on("a", movedFrom), t0.Add(at))
		if s := q.Take(t0.Add(at)); s != nil {
			t.Fatalf("Take after %v: got a set, want none before %v", at, movesGrace)
		}
	}
	if s := q.Take(t0.Add(movesGrace)); s == nil {
		t.Errorf("Take after %v: got nil, want a set", movesGrace)
	}
}

func TestTiming(t *testing.T) {
	none := []string{}
	tests := []struct {
		name  string
		o     Options
		steps []step
	}{
		{
			"the delay counts from the first event",
			Options{Mask: closed, Delay: 2 * second},
			[]step{
				{0, events{on("a", closed)}, none},
				{1 * second, events{on("b", closed)}, none},
				{2 * second, events{on("c", closed)}, []string{"a ic", "b ic", "c ic"}},
				{3 * second, nil, none},
				{4 * second, events{on("a", closed)}, none},
				{6 * second, nil, []string{"a ic"}},
			},
		},
		{
			"an event that is masked out starts no delay",
			Options{Mask: closed, Delay: 2 * second},
			[]step{
				{0, events{on("a", modify)}, none},
				{1 * second, events{on("b", closed)}, none},
				{2 * second, nil, none},
				{3 * second, nil, []string{"b ic"}},
			},
		},
		{
			"without a delay at once",
			Options{Mask: closed},
			[]step{{0, events{on("a", closed)}, []string{"a ic"}}},
		},
		{
			"the old name of what was moved waits for the new one",
			Options{Mask: change.DefaultMask},
			[]step{
				{0, events{on("a", movedFrom)}, none},
				{moveGrace / 2, events{on("b", movedTo)}, []string{"a i", "b ic"}},
				{second, events{on("b", movedFrom), on("c", closed)}, none}, // out of the tree
				{second + moveGrace, nil, []string{"b i", "c ic"}},
			},
		},
		{
			"also at the end of a delay",
			Options{Mask: change.DefaultMask, Delay: second},
			[]step{
				{0, events{on("a", closed)}, none},
				{second - 1, events{on("a", movedFrom)}, none},
				{second, nil, none},
				{second - 1 + moveGrace, nil, []string{"a ic"}},
			},
		},
		{
			"a held file counts from its close",
			Options{Mask: change.DefaultMask, Delay: second, OpenLimit: 30 * second},
			[]step{
				{0, events{open("f")}, none},
				{10 * second, events{on("f", closed)}, none},
				{11 * second, nil, []string{"f ic"}},
			},
		},
		{
			"a held file's limit",
			Options{Mask: change.DefaultMask, Delay: second, OpenLimit: 30 * second},
			[]step{
				{0, events{open("f")}, none},
				{20 * second, events{open("f")}, none}, // does not prolong it
				{30 * second, nil, none},
				{31 * second, nil, []string{"f ic"}},
				{50 * second, events{on("f", closed)}, none},
				{51 * second, nil, []string{"f ic"}},
			},
		},
		{
			"the close counts after the limit, whatever the mask",
			Options{Mask: create, OpenLimit: 30 * second},
			[]step{
				{0, events{open("f"), open("g")}, none},
				{30 * second, nil, []string{"f ic", "g ic"}},
				{40 * second, events{on("f", closed), on("g", movedFrom), on("g", closed)}, []string{"f ic"}},
				{41 * second, events{on("f", closed)}, none},
			},
		},
		{
			"no holding back",
			Options{Mask: create},
			[]step{{0, events{open("f")}, []string{"f ic"}}},
		},
		{
			"held in one set, released in a later one",
			Options{Mask: movedTo, OpenLimit: 30 * second},
			[]step{
				{0, events{open("d/f"), below("d")}, []string{"d ia", "d/f h"}},
				{1 * second, events{on("d/f", closed)}, []string{"d/f ic"}},
			},
		},
		{
			"held in one set, removed before a later one",
			Options{Mask: movedTo, OpenLimit: 30 * second},
			[]step{
				{0, events{open("d/f"), open("d/g"), below("d")}, []string{"d ia", "d/f h", "d/g h"}},
				{1 * second, events{on("d/f", remove)}, []string{"d/f i"}},
				{2 * second, events{on("d", movedFrom|isDir)}, none},
				{2*second + moveGrace, nil, []string{"d i", "d/g i"}},
			},
		},
		{
			"a rename is no close",
			Options{Mask: change.DefaultMask, OpenLimit: 30 * second},
			[]step{
				{0, events{open("f"), on("h", closed)}, []string{"h ic"}},
				{1 * second, events{open("z"), move("f", movedFrom, 1), move("g", movedTo, 1)}, []string{"f i"}},
				{2 * second, events{on("g", closed)}, []string{"g ic"}},
				{3 * second, events{move("z", movedFrom, 2), move("h", movedTo, 2)}, []string{"z i"}},
				{4 * second, events{below("")}, []string{" ia", "h h"}},
				{30 * second, nil, none},
				{31 * second, nil, []string{"h ic"}},
			},
		},
		{
			"nor is that of a directory above",
			Options{Mask: change.DefaultMask, OpenLimit: 30 * second},
			[]step{
				{0, events{open("d/f")}, none},
				{1 * second, events{open("x")}, none},
				{2 * second, events{open("d/s/g")}, none},
				{
					3 * second,
					events{move("d", movedFrom|isDir, 1), move("e", movedTo|isDir, 1)},
					[]string{"d i", "e ia", "e/f h", "e/s/g h"},
				},
				{30 * second, nil, []string{"e/f ic"}},
				{31 * second, nil, []string{"x ic"}},
				{32 * second, nil, []string{"e/s/g ic"}},
			},
		},
		{
			"halves of two renames that others came between",
			Options{Mask: change.DefaultMask, OpenLimit: 30 * second},
			[]step{
				{0, events{open("f"), move("f", movedFrom, 1), move("g", movedTo, 2)}, []string{"f i", "g ic"}},
				{1 * second, events{move("h", movedTo, 1)}, none},
				{30 * second, nil, []string{"h ic"}},
			},
		},
		{
			"a renamed file is as wanted as it was",
			Options{Mask: create, OpenLimit: 30 * second},
			[]step{
				{0, events{open("f"), move("f", movedFrom, 1), move("g", movedTo, 1)}, none},
				{30 * second, nil, []string{"g ic"}},
			},
		},
		{
			"and known to no node under its new name",
			Options{Mask: remove, OpenLimit: 30 * second},
			[]step{
				{0, events{open("d/f"), below("d")}, []string{"d ia", "d/f h"}},
				{1 * second, events{move("d/f", movedFrom, 1), move("d/g", movedTo, 1)}, []string{"d/f i"}},
				{30 * second, nil, none},
			},
		},
		{
			"renamed over another open one",
			Options{Mask: change.DefaultMask, OpenLimit: 30 * second},
			[]step{
				{0, events{open("e/f")}, none},
				{1 * second, events{open("d/f")}, none},
				{2 * second, events{open("x")}, none},
				{
					3 * second,
					events{move("d", movedFrom|isDir, 1), move("e", movedTo|isDir, 1)},
					[]string{"d i", "e ia", "e/f h"},
				},
				{30 * second, nil, none},
				{31 * second, nil, []string{"e/f ic"}},
				{32 * second, nil, []string{"x ic"}},
			},
		},
		{
			"a rename out of the tree, and then another",
			Options{Mask: change.DefaultMask, OpenLimit: 30 * second},
			[]step{
				{0, events{open("a"), move("a", movedFrom, 1), move("b", movedFrom, 2), move("c", movedTo, 2)}, []string{"a i", "b i", "c ic"}},
				{30 * second, nil, none},
			},
		},
		{
			"a file that nodes know, renamed out of the tree",
			Options{Mask: movedTo, OpenLimit: 30 * second},
			[]step{
				{0, events{open("d/f"), below("d")}, []string{"d ia", "d/f h"}},
				{1 * second, events{move("d/f", movedFrom, 1)}, []string{"d/f i"}},
			},
		},
		{
			"renamed ones too go early when the table is full",
			Options{Mask: create, OpenLimit: 30 * second, Limit: 1},
			[]step{
				{0, events{open("f"), move("f", movedFrom, 1)}, none},
				{1 * second, events{open("x"), move("g", movedTo, 1)}, []string{"g ic"}},
				{31 * second, nil, []string{"x ic"}},
			},
		},
		{
			"no more of those that went early are known than may be open",
			Options{Mask: create, OpenLimit: 30 * second, Limit: 1},
			[]step{
				{0, events{open("f"), open("g")}, []string{"f ic"}},
				{30 * second, nil, []string{"g ic"}},
				{40 * second, events{on("f", closed), on("g", closed)}, []string{"f ic"}},
			},
		},
		{
			"nor those below a directory that went",
			Options{Mask: create, OpenLimit: 30 * second},
			[]step{
				{0, events{open("d/f")}, none},
				{30 * second, nil, []string{"d/f ic"}},
				{40 * second, events{on("d", remove|isDir)}, []string{"d i"}},
				{50 * second, events{on("d/f", closed)}, none},
			},
		},
		{
			"the oldest go early when the table is full",
			Options{Mask: change.DefaultMask, OpenLimit: 30 * second, Limit: 2},
			[]step{
				{0, events{open("a")}, none},
				{1 * second, events{open("b")}, none},
				{2 * second, events{open("c")}, []string{"a ic"}},
				{30 * second, nil, none},
				{31 * second, nil, []string{"b ic"}},
				{32 * second, nil, []string{"c ic"}},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := NewQueue(tt.o)
			for _, s := range tt.steps {
				now := t0.Add(s.at)
				add(q, now, s.evs...)
				if diff := cmp.Diff(s.want, lines(q.Take(now))); diff != "" {
					t.Errorf("Take(%v) (-want +got):\n%s", s.at, diff)
				}
			}
			if at, ok := q.Deadline(); ok {
				t.Errorf("Deadline(): got %v, want none", at.Sub(t0))
			}
		})
	}
}

func TestSnapshot(t *testing.T) {
	q := NewQueue(Options{Mask: change.DefaultMask, Delay: second, OpenLimit: 30 * second})
	expect := func(what string, length, held int, since time.Time, deadline time.Duration) {
		t.Helper()
		at, _ := q.Deadline()
		got := fmt.Sprint(q.Len(), q.Held(), q.Since(), at.Sub(t0))
		if want := fmt.Sprint(length, held, since, deadline); got != want {
			t.Errorf("Len, Held, Since, Deadline %s: got %s, want %s", what, got, want)
		}
	}
	q.Add(open("f"), t0)
	expect("of an open file", 0, 1, t0, 30*second)
	q.Add(on("g", closed), t0.Add(second))
	expect("with another pending", 1, 1, t0, 2*second)
	q.Take(t0.Add(2 * second))
	expect("after that is handed out", 0, 1, t0, 30*second)
	q.Add(on("f", closed), t0.Add(3*second))
	expect("of a closed file", 1, 0, t0, 4*second)
	if !q.Covers("f") || q.Covers("g") {
		t.Errorf("Covers(f), Covers(g): got %v, %v, want true, false", q.Covers("f"), q.Covers("g"))
	}
	q.Flush(t0.Add(3 * second))
	if since := q.Since(); q.Len() != 0 || !since.IsZero() {
		t.Errorf("Len, Since after Flush: got %d, %v, want 0, zero", q.Len(), since)
	}
}

func TestFull(t *testing.T) {
	q := NewQueue(Options{Mask: movedTo, OpenLimit: 30 * second})
	add(q, t0, on("a", movedTo), open("f"))
	if diff := cmp.Diff([]string{" ia", "f h"}, lines(q.Full(t0))); diff != "" {
		t.Errorf("Full() (-want +got):\n%s", diff)
	}
	add(q, t0, on("f", closed))
	if diff := cmp.Diff([]string{"a ic", "f ic"}, lines(q.Take(t0))); diff != "" {
		t.Errorf("Take() after Full() (-want +got):\n%s", diff)
	}
}

// A flood costs precision, not memory, and not what is held.
func TestFlood(t *testing.T) {
	q := NewQueue(Options{Mask: change.DefaultMask, OpenLimit: 30 * second, Limit: 100})
	for i := range 1000 {
		q.Add(on(fmt.Sprintf("d/%d", i), closed), t0)
	}
	q.Add(open("d/open"), t0)
	if diff := cmp.Diff([]string{"d ia", "d/open h"}, lines(q.Take(t0))); diff != "" {
		t.Errorf("Take() after a flood (-want +got):\n%s", diff)
	}
}

func BenchmarkQueue(b *testing.B) {
	evs := make(events, 0, 20_000)
	for i := range cap(evs) / 2 {
		path := fmt.Sprintf("some/directory/%d/file-%d", i%100, i)
		evs = append(evs, open(path), on(path, unix.IN_CLOSE_WRITE))
	}
	b.ReportAllocs()
	for b.Loop() {
		q := NewQueue(Options{Mask: change.DefaultMask, OpenLimit: time.Minute})
		add(q, t0, evs...)
		q.Take(t0)
	}
}
