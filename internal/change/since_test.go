package change_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"inosyncd/internal/change"
)

// Every path keeps the time of its own oldest change, whatever else is pending:
// what goes around again for ever must not make all that comes later look old.
func TestSinceOf(t *testing.T) {
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Second) }
	older, newer := change.New(0), change.New(0)
	older.Add("d/old", change.Itself, at(1))
	older.Add("d/both", change.Itself, at(2))
	newer.Add("d/both", change.Itself|change.Content, at(5))
	newer.Add("d/new", change.Itself, at(6))
	newer.Add("d/held", change.Held, at(0))
	newer.Add("e/dropped", change.Itself, at(3))
	newer.Add("e", change.AllBelow, at(7))
	newer.Add("e/later", change.Itself, at(8))
	older.Merge(newer)

	for path, want := range map[string]int{
		"d/old": 1, "d/both": 2, "d/new": 6, "e": 3, "e/later": 3, "e/dropped": 3,
		"d/held": 1, "d": 1, "elsewhere": 1, // not pending themselves: the set's
	} {
		if got := older.SinceOf(path); !got.Equal(at(want)) {
			t.Errorf("SinceOf(%q): got %v, want %v", path, got.Sub(t0), at(want).Sub(t0))
		}
	}
}

// However sets are merged and folded, no change becomes younger than it is.
func TestSinceNeverTooYoung(t *testing.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c", "\xff"})
	path := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 0, 4).Draw(t, "names"), "/")
	})
	mark := rapid.SampledFrom([]change.Mark{
		change.Itself, change.Itself | change.Content, change.AllBelow, change.Held,
	})
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		s, oldest := change.New(limit), map[string]time.Time{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			target := s
			if rapid.Bool().Draw(t, "merge") {
				target = change.New(limit)
			}
			p, m := path.Draw(t, "path"), mark.Draw(t, "mark")
			at := t0.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "at")) * time.Second)
			target.Add(p, m, at)
			if target != s {
				s.Merge(target)
			}
			if was, known := oldest[p]; m != change.Held && (!known || at.Before(was)) {
				oldest[p] = at
			}
		}
		for p, at := range oldest {
			if got := s.SinceOf(p); got.After(at) || got.Before(s.Since()) {
				t.Fatalf("SinceOf(%q): got %v, want at most %v and no less than Since() %v", p, got, at, s.Since())
			}
		}
	})
}
