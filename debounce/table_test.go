package debounce

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

const (
	modify    = unix.IN_MODIFY
	attrib    = unix.IN_ATTRIB
	closed    = unix.IN_CLOSE_WRITE
	create    = unix.IN_CREATE
	remove    = unix.IN_DELETE
	movedFrom = unix.IN_MOVED_FROM
	movedTo   = unix.IN_MOVED_TO
	isDir     = unix.IN_ISDIR
)

var t0 = time.Unix(1_700_000_000, 0)

type events []change.Event

func on(path string, mask uint32) change.Event { return change.Event{Path: path, Mask: mask} }
func below(path string) change.Event           { return change.Event{Path: path, AllBelow: true} }
func open(path string) change.Event            { return change.Event{Path: path, Mask: create, Writing: true} }

func move(path string, mask, cookie uint32) change.Event {
	return change.Event{Path: path, Mask: mask, Cookie: cookie, AllBelow: mask == movedTo|isDir}
}

func add(q *Queue, now time.Time, evs ...change.Event) {
	for _, ev := range evs {
		q.Add(ev, now)
	}
}

// lines is what a set holds: "path marks", with i for Itself, c for Content, a
// for AllBelow and h for Held.
func lines(s *change.Set) []string {
	out := []string{}
	if s == nil {
		return out
	}
	for path, m := range s.All() {
		line := path + " "
		for i, c := range "icah" {
			if m&(1<<i) != 0 {
				line += string(c)
			}
		}
		out = append(out, line)
	}
	return out
}

// TestEvents is the table of how events add up: what is pending and held, what
// comes in, and what is handed out and what is held then.
func TestEvents(t *testing.T) {
	tests := []struct {
		name     string
		before   events
		incoming change.Event
		pending  []string
		held     int
	}{
		// The mask.
		{"in the mask", nil, on("f", closed), []string{"f ic"}, 0},
		{"not in the mask", nil, on("f", modify), []string{}, 0},
		{"attributes alone leave the content", nil, on("f", attrib), []string{"f i"}, 0},
		{"removed", nil, on("f", remove), []string{"f i"}, 0},
		{"renamed into place", nil, on("f", movedTo), []string{"f ic"}, 0},
		{"a new name that nobody writes to", nil, on("f", create), []string{"f ic"}, 0},
		{"found by looking", nil, on("f", 0), []string{"f i"}, 0},
		{"attributes of a directory", nil, on("d", attrib|isDir), []string{"d i"}, 0},

		// Gaps and directories.
		{"a gap", nil, below("d"), []string{"d ia"}, 0},
		{"a gap above what is pending", events{on("d/f", attrib)}, below("d"), []string{"d ia"}, 0},
		{"a gap above what was written", events{on("d/f", closed)}, below("d"), []string{"d ia", "d/f ic"}, 0},
		{"written below a gap", events{below("d")}, on("d/f", closed), []string{"d ia", "d/f ic"}, 0},
		{"attributes below a gap", events{below("d")}, on("d/f", attrib), []string{"d ia"}, 0},
		{"a new directory", nil, on("d", create|isDir), []string{"d i"}, 0},
		{"a directory that went", nil, on("d", movedFrom|isDir), []string{"d i"}, 0},
		{"a directory that came", events{on("d", movedFrom|isDir)}, on("e", movedTo|isDir), []string{"d i", "e i"}, 0},

		// Twice is once, and nothing takes anything back.
		{"written twice", events{on("f", closed)}, on("f", closed), []string{"f ic"}, 0},
		{"written and removed", events{on("f", closed)}, on("f", remove), []string{"f ic"}, 0},
		{"removed and renamed over", events{on("f", remove)}, on("f", movedTo), []string{"f ic"}, 0},
		{"attributes and written", events{on("f", attrib)}, on("f", closed), []string{"f ic"}, 0},

		// New files are held until they are complete.
		{"open", nil, open("f"), []string{}, 1},
		{"open and not closed", events{open("f")}, on("f", attrib), []string{}, 1},
		{"open twice", events{open("f")}, open("f"), []string{}, 1},
		{"open and closed", events{open("f")}, on("f", closed), []string{"f ic"}, 0},
		{"open and removed", events{open("f")}, on("f", remove), []string{"f i"}, 0},
		{"open and renamed away", events{open("f")}, on("f", movedFrom), []string{"f i"}, 0},
		{"open and renamed over", events{open("f")}, on("f", movedTo), []string{"f ic"}, 0},
		{"open and linked over", events{open("f")}, on("f", create), []string{"f ic"}, 0},
		{"open and a directory now", events{open("f")}, on("f", create|isDir), []string{"f ic"}, 0},
		{"open and a gap now", events{open("f")}, below("f"), []string{"f ica"}, 0},
		{"open and another closed", events{open("f")}, on("g", closed), []string{"g ic"}, 1},
		{"open and the directory renamed", events{open("d/f")}, on("d", movedFrom|isDir), []string{"d i"}, 0},
		{"open and another directory renamed", events{open("da/f")}, on("d", movedFrom|isDir), []string{"d i"}, 1},

		// A set that covers a held file says so.
		{"open below a gap", events{open("d/f")}, below("d"), []string{"d ia", "d/f h"}, 1},
		{"a gap and then open", events{below("d")}, open("d/f"), []string{"d ia", "d/f h"}, 1},
		{"removed, then new and open", events{on("f", remove)}, open("f"), []string{"f ih"}, 1},
		{"open below a gap and closed", events{open("d/f"), below("d")}, on("d/f", closed), []string{"d ia", "d/f ic"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := NewQueue(Options{Mask: change.DefaultMask, OpenLimit: time.Minute})
			add(q, t0, append(tt.before, tt.incoming)...)
			if got := q.Held(); got != tt.held {
				t.Errorf("Held(): got %d, want %d", got, tt.held)
			}
			if diff := cmp.Diff(tt.pending, lines(q.Take(t0.Add(moveGrace)))); diff != "" {
				t.Errorf("Take() after %v and %v (-want +got):\n%s", tt.before, tt.incoming, diff)
			}
		})
	}
}

// Only what is written under a name is under the file's other names too.
func TestSharedIsWhatWasWritten(t *testing.T) {
	for _, tt := range []struct {
		name string
		evs  events
		want bool
	}{
		{"closed", events{on("f", closed)}, true},
		{"written, and not closed", events{on("f", modify)}, true},
		{"new and closed", events{open("f"), on("f", closed)}, true},
		{"a new name", events{on("f", create)}, false},
		{"renamed", events{on("f", movedTo)}, false},
		{"attributes", events{on("f", attrib)}, false},
		{"removed", events{on("f", remove)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := NewQueue(Options{Mask: change.DefaultMask | modify, OpenLimit: time.Minute})
			add(q, t0, tt.evs...)
			for path, m := range q.Take(t0.Add(moveGrace)).All() {
				if got := m&change.Shared != 0; got != tt.want {
					t.Errorf("Take() after %v: got %q marked Shared: %v, want %v", tt.evs, path, got, tt.want)
				}
			}
		})
	}
}

// What the mask leaves out is left out, but a directory and a file that is
// known to the nodes already.
func TestNarrowMasks(t *testing.T) {
	tests := []struct {
		name string
		mask uint32
		evs  events
		want []string
		held int
	}{
		{"a directory is followed", closed, events{on("d", create|isDir), on("e", remove|isDir), on("m", movedFrom|isDir), on("n", movedTo|isDir)}, []string{"d i", "e i", "m i", "n i"}, 0},
		{"its attributes are not", closed, events{on("d", attrib|isDir)}, []string{}, 0},
		{"a new file by its creation", create, events{open("f"), on("f", closed)}, []string{"f ic"}, 0},
		{"a new file by its close", closed, events{open("f"), on("f", closed)}, []string{"f ic"}, 0},
		{"a new file by writing to it", modify, events{open("f"), on("f", modify), on("f", closed)}, []string{"f ic"}, 0},
		{"an old file's close", create, events{on("f", closed)}, []string{}, 0},
		{"only what is renamed into place", movedTo, events{open("f"), on("f", closed), open("g"), on("g", movedFrom), on("h", movedTo)}, []string{"h ic"}, 0},
		{"an open file that nobody asked for", movedTo, events{open("f")}, []string{}, 0},
		{"the same below a gap", movedTo, events{open("d/f"), below("d")}, []string{"d ia", "d/f h"}, 1},
		{"one that was found by looking", movedTo, events{{Path: "f", Writing: true}}, []string{}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := NewQueue(Options{Mask: tt.mask, OpenLimit: time.Minute})
			add(q, t0, tt.evs...)
			if diff := cmp.Diff(tt.want, lines(q.Take(t0))); diff != "" {
				t.Errorf("Take() after %v (-want +got):\n%s", tt.evs, diff)
			}
			if got := q.Held(); got != tt.held {
				t.Errorf("Held(): got %d, want %d", got, tt.held)
			}
		})
	}
}

func ExampleQueue() {
	q := NewQueue(Options{Mask: change.DefaultMask, Delay: time.Second, OpenLimit: time.Minute})
	now := time.Unix(0, 0)
	q.Add(on("a", closed), now)
	q.Add(on("b", closed), now.Add(900*time.Millisecond))
	at, _ := q.Deadline()
	fmt.Println(at.Sub(now), lines(q.Take(at)))
	// Output: 1s [a ic b ic]
}
