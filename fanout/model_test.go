package fanout

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

var universe = []string{"", "a", "a/b", "a/b/c", "a/d", "ab", "e", "e/f", "\xff"}

// truth is what has changed in a source and what a node has of it: the number
// of changes of every path, and how many of them the node has confirmed.
type truth struct {
	changed, confirmed map[string]int
}

func newTruth() *truth { return &truth{map[string]int{}, map[string]int{}} }

// change is a set of one mark, entered in the truth.
func (tr *truth) change(path string, m change.Mark) *change.Set {
	s := change.New(0)
	s.Add(path, m, time.Now())
	for _, p := range universe {
		if s.Covers(p) {
			tr.changed[p]++
		}
	}
	return s
}

// sent is what becomes known to a node that was pushed set and left left; seen
// are the changes when the push read the source.
func (tr *truth) sent(seen map[string]int, set, left *change.Set) {
	for _, p := range universe {
		if set.Covers(p) && !left.Covers(p) {
			tr.confirmed[p] = seen[p]
		}
	}
}

func (tr *truth) missing() (out []string) {
	for _, p := range universe {
		if tr.confirmed[p] < tr.changed[p] {
			out = append(out, p)
		}
	}
	return out
}

// verdict is one answer of a node, drawn beforehand.
type verdict struct {
	outcome push.Outcome
	left    []bool // of the universe: this was not confirmed
	nothing bool   // no Left at all
	took    time.Duration
}

func drawVerdict(t *rapid.T) verdict {
	return verdict{
		outcome: push.Outcome(rapid.IntRange(0, 3).Draw(t, "outcome")),
		left:    rapid.SliceOfN(rapid.Bool(), len(universe), len(universe)).Draw(t, "left"),
		nothing: rapid.Bool().Draw(t, "nothing"),
		took:    time.Duration(rapid.IntRange(0, 90).Draw(t, "took")) * time.Second,
	}
}

// leaving is what v leaves of set: nil or a part of it.
func (v verdict) leaving(set *change.Set) *change.Set {
	if v.nothing {
		return nil
	}
	left := change.New(0)
	for i, p := range universe {
		if v.left[i] && set.Covers(p) {
			left.Add(p, change.Itself, set.Since())
		}
	}
	return left
}

// unconfirmed is what the doc of push.Outcome makes of a verdict's Left.
func (v verdict) unconfirmed(set, left *change.Set) *change.Set {
	if v.outcome != push.Done && (left == nil || left.Empty()) {
		return set
	}
	if left == nil {
		return change.New(0)
	}
	return left
}

var marks = []change.Mark{change.Itself, change.Itself | change.Content, change.AllBelow}

// TestBacklogLosesNothing drives random histories through a backlog: at every
// moment it covers whatever the node does not have.
func TestBacklogLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		b, tr, now := newBacklog(limit), newTruth(), time.Unix(0, 0)
		var seen map[string]int
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "wait")) * time.Second)
			_, due := b.due(now)
			switch {
			case b.sent != nil && rapid.Bool().Draw(t, "end"):
				v := drawVerdict(t)
				set := b.sent
				left := v.leaving(set)
				tr.sent(seen, set, v.unconfirmed(set, left))
				endPush(t, b, v, left, now)
			case b.sent == nil && due:
				seen = maps.Clone(tr.changed)
				b.take(now)
			case rapid.IntRange(0, 9).Draw(t, "kick") == 0:
				b.kick()
			default:
				p := rapid.SampledFrom(universe).Draw(t, "path")
				b.add(tr.change(p, rapid.SampledFrom(marks).Draw(t, "mark")))
			}
			for set := range b.sets {
				if set.Len() > limit+1 { // the root is there anyway
					t.Fatalf("a set of the backlog has %d entries, and its limit is %d", set.Len(), limit)
				}
			}
			for _, p := range tr.missing() {
				if !b.covers(p) {
					t.Fatalf("the node does not have %q, and it is not in the backlog", p)
				}
			}
			if at, ok := b.due(now); b.sent == nil && b.len() > 0 && !ok && !at.After(now) {
				t.Fatalf("due(%v): %d entries wait for nothing", now, b.len())
			}
			if b.len() > 0 == b.since().IsZero() {
				t.Fatalf("since(): got %v of %d entries", b.since(), b.len())
			}
		}
	})
}

// What failed an hour ago is older than what is being pushed.
func TestSinceOfTheBacklog(t *testing.T) {
	b, t0 := newBacklog(0), time.Unix(0, 0)
	at := func(path string, now time.Time) *change.Set {
		s := change.New(0)
		s.Add(path, change.Itself, now)
		return s
	}
	b.add(at("bad", t0))
	b.fail(b.take(t0), false, t0.Add(time.Hour))
	b.add(at("new", t0.Add(time.Minute)))
	b.take(t0.Add(time.Minute))
	if got := b.since(); !got.Equal(t0) {
		t.Errorf("since(): got %v, want %v", got, t0)
	}
}

func endPush(t *rapid.T, b *backlog, v verdict, left *change.Set, now time.Time) {
	next := now.Add(time.Duration(rapid.IntRange(1, 9).Draw(t, "delay")) * time.Second)
	unconfirmed := v.unconfirmed(b.sent, left)
	switch {
	case v.outcome == push.Done:
		b.confirm(left)
	case rapid.IntRange(0, 4).Draw(t, "cancelled") == 0:
		b.giveBack(unconfirmed)
	case v.outcome == push.Partly:
		fresh, _ := b.progress(unconfirmed)
		b.fail(unconfirmed, !fresh, next)
	default:
		b.fail(unconfirmed, true, next)
	}
}

// history is what happens to a Fanout of two nodes.
type history struct {
	steps    []historyStep
	verdicts [][]verdict // of each node, in order; then all is Done
}

type historyStep struct {
	wait time.Duration
	do   string
	path string
	mark change.Mark
}

func drawHistory(t *rapid.T) history {
	var h history
	for range 2 {
		h.verdicts = append(h.verdicts, rapid.SliceOfN(rapid.Custom(drawVerdict), 0, 12).Draw(t, "verdicts"))
	}
	does := []string{"add", "add", "add", "add", "add one", "hold", "resume", "pause", "unpause", "kick", "drain", "replace"}
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		h.steps = append(h.steps, historyStep{
			wait: time.Duration(rapid.IntRange(0, 100).Draw(t, "wait")) * time.Second,
			do:   rapid.SampledFrom(does).Draw(t, "do"),
			path: rapid.SampledFrom(universe).Draw(t, "path"),
			mark: rapid.SampledFrom(marks).Draw(t, "mark"),
		})
	}
	return h
}

// TestEverythingIsConfirmed plays random histories to nodes that fail in every
// way: as soon as they stop failing, both have everything.
func TestEverythingIsConfirmed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := drawHistory(rt)
		var err error
		synctest.Test(t, func(t *testing.T) { err = h.play(t) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func (h history) play(t *testing.T) error {
	truths := []*truth{newTruth(), newTruth()}
	o := Options{Slots: NewSlots(2, 1)}
	for i, name := range []string{"a", "b"} {
		target := newFake(t)
		target.will(h.answers(truths[i], h.verdicts[i]))
		o.Nodes = append(o.Nodes, NodeOptions{
			Name: name, Target: target, Rate: 1, Burst: 2, Limit: 5,
			RetryMin: time.Second, RetryMax: time.Minute,
		})
	}
	f := New(o)
	answers := o.Nodes[0].Target.(*fake).answer // goes on where the last target ended
	o.Nodes[1].Target = nil
	for _, s := range h.steps {
		time.Sleep(s.wait)
		synctest.Wait() // the truths are the workers' while they run
		if s.do == "replace" {
			target := newFake(t)
			target.will(answers)
			o.Nodes[0].Target = target
			f.Set(o)
			continue
		}
		s.apply(f, truths)
	}
	f.Resume()
	f.Unpause("a")
	f.Unpause("b")
	time.Sleep(time.Hour)
	synctest.Wait()
	f.Close()
	return f.check(truths)
}

func (s historyStep) apply(f *Fanout, truths []*truth) {
	switch s.do {
	case "add":
		for _, tr := range truths[1:] {
			tr.change(s.path, s.mark)
		}
		f.Add(truths[0].change(s.path, s.mark))
	case "add one":
		f.AddNode("b", truths[1].change(s.path, s.mark))
	case "hold":
		f.Hold("gone", "")
	case "resume":
		f.Resume()
	case "pause":
		f.Pause("a")
	case "unpause":
		f.Unpause("a")
	case "kick":
		f.Kick("a")
	case "drain":
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		f.Drain(ctx)
	}
}

// answers gives the verdicts one after the other. A push that is cancelled
// confirms nothing.
func (h history) answers(tr *truth, vs []verdict) func(context.Context, *change.Set) push.Result {
	return func(ctx context.Context, set *change.Set) push.Result {
		v := verdict{nothing: true}
		if len(vs) > 0 {
			v, vs = vs[0], vs[1:]
		}
		seen := maps.Clone(tr.changed)
		select {
		case <-time.After(v.took):
		case <-ctx.Done():
			return push.Result{Outcome: push.Again, Err: ctx.Err()}
		}
		left := v.leaving(set)
		tr.sent(seen, set, v.unconfirmed(set, left))
		return push.Result{Outcome: v.outcome, Left: left, Err: errDown}
	}
}

func (f *Fanout) check(truths []*truth) error {
	for i, n := range f.Snapshot() {
		if missing := truths[i].missing(); missing != nil {
			return fmt.Errorf("node %s does not have %q", n.Node, missing)
		}
		if n.Pending != 0 || n.LastError != nil || n.NextTry != nil || n.Held != nil {
			return fmt.Errorf("node %s has everything, and its state is %+v", n.Node, n)
		}
		if s := string(n.State); !strings.Contains("PENDING SUCCESS", s) {
			return fmt.Errorf("node %s has everything, and its state is %s", n.Node, s)
		}
	}
	return nil
}
