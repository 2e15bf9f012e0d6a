package fanout

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/internal/change"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func TestMemory(t *testing.T) {
	hour := func(n int) time.Time { return day.Add(time.Duration(n) * time.Hour) }
	m := newMemory(day)
	sent := change.New(0)
	for path, mark := range map[string]change.Mark{
		"a": change.Itself, "d": change.AllBelow, "d/held": change.Held, "left/x": change.Itself, "dir": change.AllBelow,
	} {
		sent.Add(path, mark, day)
	}
	m.confirm(sent, of("left", "dir/part"), hour(1))
	again := of("a", "d/x")
	m.confirm(again, nil, hour(2))
	m.confirm(change.Full(day), nil, hour(3))
	for path, want := range map[string]time.Time{
		"a": hour(2), "d": hour(1), "d/x": hour(2), "d/y/z": hour(1), "a/below": {},
		"left/x": {}, "dir": {}, "dir/part": {}, "dir/other": {}, "never": {}, "": {},
	} {
		at, since := m.last(path)
		if !at.Equal(want) || !since.Equal(day) {
			t.Errorf("last(%q): got %v since %v, want %v since %v", path, at, since, want, day)
		}
	}
}

// The memory has a bound, and says from when on it knows everything.
func TestMemoryIsBounded(t *testing.T) {
	m := newMemory(day)
	m.limit = 64 << 10
	for i := range 3000 {
		m.note(fmt.Sprintf("d/%d%s", i, strings.Repeat("x", i%400)), confirmed{at: day.Add(time.Duration(i) * time.Second)})
		if used := m.young.used + m.old.used; used > m.limit+1000 {
			t.Fatalf("after %d paths: got %d bytes, want at most %d", i, used, m.limit)
		}
	}
	oldest := 0
	for i := range 3000 {
		path := fmt.Sprintf("d/%d%s", i, strings.Repeat("x", i%400))
		at, since := m.last(path)
		if known := day.Add(time.Duration(i) * time.Second); known.After(since) != !at.IsZero() {
			t.Fatalf("last(%.20q), confirmed at %v: got %v, since %v", path, known, at, since)
		}
		if at.IsZero() {
			oldest = i
		}
	}
	if oldest < 2500 || oldest > 2950 {
		t.Errorf("the last path that is forgotten: got %d, want about 2850", oldest)
	}
}

func TestLastPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: time.Minute})
		start := time.Now()
		expect := func(path string, want time.Duration) {
			t.Helper()
			synctest.Wait()
			at, since := f.LastPush("a", path)
			ok := since.Equal(start) && (want == 0 && at.IsZero() || at.Equal(start.Add(want)))
			if !ok {
				t.Errorf("LastPush(%q): got %v since %v, want %v after %v", path, at, since, want, start)
			}
		}
		time.Sleep(time.Hour)
		expect("x", 0)
		f.Add(of("x", "y"))
		expect("x", time.Hour)
		time.Sleep(time.Hour)
		target.will(down)
		f.Add(of("x", "z"))
		expect("x", time.Hour)
		expect("z", 0)
		target.will(refusing("z"))
		time.Sleep(10 * time.Second) // less than RetryMin
		f.Kick("a")
		expect("x", 2*time.Hour+10*time.Second)
		expect("y", time.Hour)
		expect("z", 0)
	})
}
