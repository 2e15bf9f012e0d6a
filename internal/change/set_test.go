package change_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"inosyncd/internal/change"
)

var t0 = time.Unix(1_700_000_000, 0)

// list is what a set holds, as readable lines.
func list(s *change.Set) []string {
	out := []string{}
	for path, m := range s.All() {
		flags := ""
		for _, f := range []struct {
			m change.Mark
			c string
		}{{change.Itself, "i"}, {change.Content, "c"}, {change.AllBelow, "a"}, {change.Held, "h"}} {
			if m&f.m != 0 {
				flags += f.c
			}
		}
		out = append(out, fmt.Sprintf("%q %s", path, flags))
	}
	return out
}

func TestAdd(t *testing.T) {
	type add struct {
		path string
		mark change.Mark
	}
	const (
		i = change.Itself
		c = change.Content
		a = change.AllBelow
		h = change.Held
	)
	tests := []struct {
		name string
		adds []add
		want []string
		len  int
	}{
		{"nothing", nil, []string{}, 0},
		{"the root itself", []add{{"", i}}, []string{`"" i`}, 1},
		{"twice is once", []add{{"a", i}, {"a", i}}, []string{`"a" i`}, 1},
		{"marks add up", []add{{"a", i}, {"a", c}}, []string{`"a" ic`}, 1},
		{"parents first, then by bytes", []add{{"b", i}, {"a/b", i}, {"a", i}, {"a!", i}}, []string{`"a" i`, `"a/b" i`, `"a!" i`, `"b" i`}, 4},
		{"all below swallows what is below", []add{{"a/b", i}, {"a/c", a}, {"a", a}}, []string{`"a" ia`}, 1},
		{"below all below nothing is new", []add{{"a", a}, {"a/b", i}, {"a/b/c", a}}, []string{`"a" ia`}, 1},
		{"all below keeps written content", []add{{"a/b", c}, {"a", a}}, []string{`"a" ia`, `"a/b" ic`}, 2},
		{"content is noted below all below", []add{{"a", a}, {"a/b", c}}, []string{`"a" ia`, `"a/b" ic`}, 2},
		{"all below keeps what is held", []add{{"a/b", h}, {"a", a}}, []string{`"a" ia`, `"a/b" h`}, 1},
		{"held alone is nothing to do", []add{{"a", h}}, []string{`"a" h`}, 0},
		{"held after itself", []add{{"a", i}, {"a", h}}, []string{`"a" ih`}, 1},
		{"itself releases", []add{{"a", h}, {"a", i}}, []string{`"a" i`}, 1},
		{"the root's all below is all", []add{{"a", i}, {"b/c", i}, {"", a}}, []string{`"" ia`}, 1},
		{"bytes are bytes", []add{{"\xff\n/ ", i}}, []string{`"\xff\n/ " i`}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := change.New(0)
			for _, add := range tt.adds {
				s.Add(add.path, add.mark, t0)
			}
			if diff := cmp.Diff(tt.want, list(s)); diff != "" {
				t.Errorf("All() after %v (-want +got):\n%s", tt.adds, diff)
			}
			if s.Len() != tt.len {
				t.Errorf("Len() after %v: got %d, want %d", tt.adds, s.Len(), tt.len)
			}
		})
	}
}

func TestMergeTakesTheNewerHold(t *testing.T) {
	older, newer := change.New(0), change.New(0)
	older.Add("d", change.AllBelow, t0)
	older.Add("d/closed", change.Held, t0)
	older.Add("d/open", change.Itself, t0)
	newer.Add("d/closed", change.Itself|change.Content, t0.Add(time.Second))
	newer.Add("d/open", change.Held, t0.Add(time.Second))

	older.Merge(newer)
	want := []string{`"d" ia`, `"d/closed" ic`, `"d/open" h`}
	if diff := cmp.Diff(want, list(older)); diff != "" {
		t.Errorf("Merge (-want +got):\n%s", diff)
	}
	if got := older.Since(); !got.Equal(t0) {
		t.Errorf("Since() after Merge: got %v, want the older %v", got, t0)
	}
}

func TestMergeSharesNothing(t *testing.T) {
	a, b := change.New(0), change.New(0)
	b.Add("x/y", change.Itself, t0)
	a.Merge(b)
	a.Add("x/z", change.Itself, t0)
	if got := list(b); len(got) != 1 {
		t.Errorf("the merged set changed with the one it was merged into: %v", got)
	}
}

// TestNeverLosesAChange drives random histories past small limits: whatever
// was added is covered, and the set stays within its bound.
func TestNeverLosesAChange(t *testing.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "\xff", " "})
	path := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 0, 6).Draw(t, "names"), "/")
	})
	mark := rapid.SampledFrom([]change.Mark{
		change.Itself, change.Itself | change.Content, change.AllBelow, change.Held,
	})
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		s, model := change.New(limit), map[string]change.Mark{}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			target := s
			if rapid.Bool().Draw(t, "merge") {
				target = change.New(limit)
			}
			p, m := path.Draw(t, "path"), mark.Draw(t, "mark")
			target.Add(p, m, t0)
			if target != s {
				s.Merge(target)
			}
			if m != change.Held {
				model[p] |= m
			}
		}
		check(t, s, model, limit)
		check(t, s.Clone(), model, change.DefaultLimit)
	})
}

func check(t *rapid.T, s *change.Set, model map[string]change.Mark, limit int) {
	n, nodes := 0, map[string]bool{}
	for p, m := range s.All() {
		if m&(change.Itself|change.AllBelow) != 0 {
			n++
		}
		for ; p != ""; p = p[:max(0, strings.LastIndexByte(p, '/'))] {
			nodes[p] = true
		}
	}
	if n != s.Len() {
		t.Fatalf("Len(): got %d, want %d entries of All()", s.Len(), n)
	}
	if len(nodes) > limit {
		t.Fatalf("a set of limit %d has %d nodes", limit, len(nodes))
	}
	for p, m := range model {
		if !s.Covers(p) {
			t.Fatalf("%q was added and is not covered by %v", p, list(s))
		}
		if m&change.AllBelow != 0 && !s.Covers(p+"/anything") {
			t.Fatalf("all below %q was added and is not covered by %v", p, list(s))
		}
	}
	if !slices.IsSortedFunc(slices.Collect(keys(s)), comparePaths) {
		t.Fatalf("All() is not in order: %v", list(s))
	}
}

func keys(s *change.Set) func(func(string) bool) {
	return func(yield func(string) bool) {
		for p := range s.All() {
			if !yield(p) {
				return
			}
		}
	}
}

func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

func TestFoldKeepsWhatIsShallow(t *testing.T) {
	s := change.New(100)
	s.Add("top", change.Itself, t0)
	for i := range 1000 {
		s.Add(fmt.Sprintf("big/dir/%d", i), change.Itself, t0)
	}
	want := []string{`"big/dir" ia`, `"top" i`}
	if diff := cmp.Diff(want, list(s)); diff != "" {
		t.Errorf("a flood in one directory (-want +got):\n%s", diff)
	}
}

// A file that was held is a directory by now: what is folded into it is not held.
func TestFoldEndsAHold(t *testing.T) {
	s := change.New(2)
	s.Add("x", change.Held, t0)
	for i := range 3 {
		s.Add(fmt.Sprintf("x/%d", i), change.Itself, t0)
	}
	if diff := cmp.Diff([]string{`"x" ia`}, list(s)); diff != "" {
		t.Errorf("a flood below what was held (-want +got):\n%s", diff)
	}
}

func BenchmarkAdd(b *testing.B) {
	paths := make([]string, 10_000)
	for i := range paths {
		paths[i] = fmt.Sprintf("some/directory/%d/file-%d", i%100, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		s := change.New(0)
		for _, p := range paths {
			s.Add(p, change.Itself|change.Content, t0)
		}
	}
}
