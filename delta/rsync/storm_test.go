package rsync

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/change"
	"inosyncd/internal/lab"
)

// Any history of the source, told as nothing but the paths that differ, ends
// with two equal trees after each push.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	p := newSite(t, "daemon")
	rapid.Check(t, func(rt *rapid.T) {
		n := p.node(t, func(o *node.Options) { o.Rules = nodetest.Rules(t, "*2", "b*/", "+ /c1/", "d[0-4]") })
		storm := lab.NewStorm(n.src, lab.StormOptions{Seed: rapid.Uint64().Draw(rt, "seed")})
		before := map[string]lab.Entry{}
		for range rapid.IntRange(1, 4).Draw(rt, "pushes") {
			n.do(storm.Step(rapid.IntRange(1, 60).Draw(rt, "steps")))
			after, err := lab.Walk(n.src, lab.CompareOptions{Skip: n.rules.Excluded})
			n.do(err)
			deep := rapid.Bool().Draw(rt, "new directories as a whole")
			n.must(differences(before, after, deep))
			n.equal()
			if t.Failed() {
				rt.Fatalf("after %q", storm.Done())
			}
			before = after
		}
	})
}

// differences is what an observer tells of two states of a tree.
func differences(before, after map[string]lab.Entry, deep bool) *change.Set {
	s := change.New(0)
	paths := slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
	for _, path := range paths {
		was, had := before[path]
		is, has := after[path]
		if had && has && was == is {
			continue
		}
		if path == "." {
			path = ""
		}
		mark := change.Itself | change.Content
		if fresh := !had || !was.Dir(); deep && fresh && has && is.Dir() && path != "" {
			mark = change.AllBelow
		}
		s.Add(path, mark, someTime)
	}
	return s
}
