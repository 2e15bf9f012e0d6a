package debounce

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

func TestTouches(t *testing.T) {
	q := NewQueue(Options{Mask: change.DefaultMask, Delay: time.Second, OpenLimit: time.Minute})
	now := time.Now()
	q.Add(change.Event{Path: "pending/file", Mask: unix.IN_CLOSE_WRITE}, now)
	q.Add(change.Event{Path: "open/file", Mask: unix.IN_CREATE, Writing: true}, now)
	for path, want := range map[string]bool{
		"": true, "pending": true, "pending/file": true, "pending/other": false,
		"open": true, "open/file": true, "open/other": false, "elsewhere": false,
	} {
		if got := q.Touches(path); got != want {
			t.Errorf("Touches(%q): got %v, want %v", path, got, want)
		}
	}
}
