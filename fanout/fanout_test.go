package fanout

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		expectState(t, f, "PENDING 0")
		target.will(lasting(time.Minute))
		f.Add(change.Full(time.Now()))
		expectState(t, f, "SYNCING 1")
		f.Add(of("x"))
		expectState(t, f, "SYNCING 2")
		time.Sleep(time.Minute)
		expectState(t, f, "SYNCING 1")
		time.Sleep(time.Minute)
		expectState(t, f, "SUCCESS 0")
		target.expect("/", "/x")

		target.will(nil)
		f.Add(of("y"))
		synctest.Wait()
		n := f.Snapshot()[0]
		if n.Pushes != 3 || n.Failures != 0 || n.BytesSent != 10 || n.Deleted != 1 || !n.Synced || !n.Since.IsZero() {
			t.Errorf("Snapshot(): got %+v", n)
		}
		if got := n.LastSuccess.Sub(*n.LastFullSync); got != time.Minute {
			t.Errorf("the last success came %v after the last full sync, want 1m", got)
		}
	})
}

// Whatever comes while a push runs forms one next push.
func TestOnePushAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		target.will(lasting(time.Second))
		f.Add(of("a"))
		for i := range 5 {
			time.Sleep(100 * time.Millisecond)
			f.Add(of(fmt.Sprint("b", i), "a"))
		}
		if got := f.Covering("b0"); len(got) != 1 || got[0] != "a" {
			t.Errorf("Covering(b0): got %q, want the node", got)
		}
		time.Sleep(time.Minute)
		target.expect("/a", "/a /b0 /b1 /b2 /b3 /b4")
		if got := f.Covering("b0"); got != nil {
			t.Errorf("Covering(b0) after the push: got %q, want none", got)
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{Rate: 0.5, Burst: 3})
		for range 100 { // 10 s
			f.Add(of("a"))
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		want := []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond, 2 * time.Second, 4 * time.Second, 6 * time.Second, 8 * time.Second, 10 * time.Second}
		if diff := cmp.Diff(want, target.times); diff != "" {
			t.Errorf("starts of pushes (-want +got):\n%s", diff)
		}
	})
}

func TestSinceIsOfTheOldestUnconfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		begin := time.Now()
		target.will(down)
		f.Add(of("a"))
		time.Sleep(time.Hour)
		target.will(lasting(time.Hour))
		f.Add(of("b"))
		f.Kick("a")
		synctest.Wait()
		f.Add(of("c"))
		if got := f.Snapshot()[0]; !got.Since.Equal(begin) || got.Pending != 3 {
			t.Errorf("Since, Pending: got %v, %d, want %v, 3", got.Since, got.Pending, begin)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := f.Snapshot()[0]; !got.Since.Equal(begin.Add(time.Hour)) {
			t.Errorf("Since when a is confirmed: got %v, want that of c", got.Since)
		}
	})
}

// The source is gone and comes back: no push runs in between, and what was cut
// off is no failure.
func TestHoldAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, log := single(t, NodeOptions{})
		target.will(hang)
		f.Add(of("a"))
		expectState(t, f, "SYNCING 1")
		f.Hold("/src is gone", "mount it")
		expectState(t, f, "HELD 1 held: /src is gone; mount it")
		f.Add(of("b"))
		f.Kick("a")
		time.Sleep(time.Hour)
		target.expect("/a")
		target.expectRest(true)

		target.will(nil)
		f.Resume()
		target.expect("/a /b")
		target.expectRest(false)
		if n := f.Snapshot()[0]; n.Failures != 0 || n.Pushes != 1 {
			t.Errorf("Snapshot(): got %d failures of %d pushes, want 0 of 1", n.Failures, n.Pushes)
		}
		want := []string{
			`level=DEBUG msg="push cancelled" mirror=www node=a`,
			`level=INFO msg=pushed mirror=www node=a paths=2 bytes=10 deleted=1 took=0s`,
		}
		if diff := cmp.Diff(want, logged(log)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// A hold also stops a push that is waiting for its turn.
func TestHoldBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{Rate: 1})
		f.Add(of("a"))
		target.expect("/a")
		f.Add(of("b"))
		time.Sleep(500 * time.Millisecond)
		f.Hold("gone", "")
		time.Sleep(time.Hour)
		target.expect()
		f.Resume()
		target.expect("/b")
	})
}

// A push can end before it notices that it was cancelled.
func TestHoldDuringASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		target.will(lasting(time.Second))
		f.Add(change.Full(time.Now()))
		synctest.Wait()
		f.Hold("gone", "")
		time.Sleep(time.Second)
		f.Resume()
		expectState(t, f, "SUCCESS 0")
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		f.Pause("a")
		f.Add(of("x"))
		expectState(t, f, "HELD 1 held: paused; inosyncd resume a")
		f.Hold("gone", "mount it")
		expectState(t, f, "HELD 1 held: gone; mount it")
		f.Resume()
		expectState(t, f, "HELD 1 held: paused; inosyncd resume a")
		target.expect()
		f.Unpause("a")
		target.expect("/x")
		for _, known := range []bool{f.Pause("b"), f.Unpause("b"), f.Kick("b"), f.AddNode("b", of("x"))} {
			if known {
				t.Error("an unknown node: got true, want false")
			}
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{Rate: 1, RetryMin: time.Hour})
		limited := func(d time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			t.Cleanup(cancel)
			return ctx
		}
		drain := func(what string, limit time.Duration, want bool, took time.Duration) {
			t.Helper()
			begin := time.Now()
			if got := f.Drain(limited(limit)); got != want || time.Since(begin) != took {
				t.Errorf("Drain() of %s: got %v after %v, want %v after %v", what, got, time.Since(begin), want, took)
			}
		}
		drain("nothing", time.Minute, true, 0)
		target.will(lasting(2 * time.Second))
		f.Add(of("a"))
		synctest.Wait()
		f.Add(of("b"))
		drain("a push and the next", time.Minute, true, 4*time.Second)
		f.Add(of("a"))
		drain("more than there is time for", time.Second, false, time.Second)
		time.Sleep(time.Minute)

		target.will(down)
		f.Add(of("c"))
		synctest.Wait() // it has failed; Drain has it tried once more
		drain("a node that is down", time.Minute, false, time.Second)
		target.will(nil)
		drain("a node that is back", time.Minute, true, time.Second)
		f.Hold("gone", "")
		f.Add(of("d"))
		drain("a node that is held", time.Minute, false, 0)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, log := single(t, NodeOptions{})
		target.closeOf = errors.New("cannot")
		target.will(hang)
		f.Add(of("x"))
		synctest.Wait()
		f.Close()
		f.Close()
		if target.closed != 1 {
			t.Errorf("Close() twice: the target was closed %d times", target.closed)
		}
		want := []string{
			`level=DEBUG msg="push cancelled" mirror=www node=a`,
			`level=WARN msg="closing the way to a node failed" mirror=www node=a err=cannot`,
		}
		if diff := cmp.Diff(want, logged(log)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
		if n := f.Snapshot()[0]; n.Failures != 0 || n.Pending != 1 {
			t.Errorf("Snapshot() after Close: got %d failures, %d pending, want 0, 1", n.Failures, n.Pending)
		}
		f.Add(of("y")) // harmless
	})
}

// One node that is slow, and one that hangs, delay no other.
// A node to which nothing is sent is as it was before the daemon came: it has
// no full sync, and nothing counts. All the same it settles.
func TestPretended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, log := single(t, NodeOptions{})
		target.will(func(context.Context, *change.Set) push.Result { return push.Result{Pretended: true} })
		f.Add(change.Full(time.Now()))
		f.Add(of("a"))
		expectState(t, f, "PENDING 0")
		n := f.Snapshot()[0]
		if n.Synced || n.LastSuccess != nil || n.LastFullSync != nil || n.Pushes != 0 {
			t.Errorf("Snapshot(): got %+v, want nothing that looks like a push", n)
		}
		if at, _ := f.LastPush("a", "a"); !at.IsZero() {
			t.Errorf("LastPush(a): got %v, want never", at)
		}
		if got := logged(log); len(got) > 0 {
			t.Errorf("log: got %q, want no word of a push", got)
		}
		target.will(nil)
		f.Add(of("b"))
		expectState(t, f, "PENDING 0") // it has not been compared
	})
}

func TestNodesAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, slow, stuck := newFake(t), newFake(t), newFake(t)
		slow.will(lasting(time.Minute))
		stuck.will(hang)
		f := New(Options{
			Nodes: []NodeOptions{{Name: "stuck", Target: stuck}, {Name: "slow", Target: slow}, {Name: "quick", Target: quick}},
			Slots: NewSlots(3, 1),
		})
		defer f.Close()
		for i := range 5 {
			f.Add(of(fmt.Sprint(i)))
			quick.expect(fmt.Sprint("/", i))
		}
		stuck.expect("/0")
		slow.expect("/0")
		time.Sleep(time.Minute)
		slow.expect("/1 /2 /3 /4")
		f.AddNode("quick", of("alone"))
		quick.expect("/alone")
	})
}

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		var running, most int
		answer := func(name string, d time.Duration, o push.Outcome) *fake {
			target := newFake(t)
			target.will(func(context.Context, *change.Set) push.Result {
				order = append(order, name) // two at once never start at one instant
				running++
				most = max(most, running)
				time.Sleep(d)
				running--
				return push.Result{Outcome: o, Err: errDown}
			})
			return target
		}
		slots := NewSlots(1, 1)
		var all []*Fanout
		for _, name := range []string{"a", "b", "c"} {
			f := New(Options{Nodes: []NodeOptions{{Name: name, Target: answer(name, time.Second, push.Done)}}, Slots: slots})
			all = append(all, f)
			f.Add(of("x"))
			synctest.Wait()
		}
		for range 5 { // a has always something to do, the others once
			all[0].Add(of("x"))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		for _, f := range all {
			f.Drain(t.Context())
			f.Close()
		}
		if most != 1 {
			t.Errorf("pushes at once: got %d, want 1", most)
		}
		if diff := cmp.Diff([]string{"a", "b", "c"}, order[:3]); diff != "" {
			t.Errorf("the first of each (-want +got):\n%s", diff)
		}
	})
}

// Nodes that are down, and keep every push until its timeout, leave half of
// the slots to the others.
func TestSlotsOfDeadNodes(t *testing.T) {
	t.Run("failed", func(t *testing.T) { slotsOfDeadNodes(t, push.Again) })
	t.Run("held", func(t *testing.T) { slotsOfDeadNodes(t, push.Hold) })
}

func slotsOfDeadNodes(t *testing.T, end push.Outcome) {
	synctest.Test(t, func(t *testing.T) {
		alive := newFake(t)
		nodes := []NodeOptions{{Name: "alive", Target: alive}}
		for i := range 20 {
			dead := newFake(t)
			dead.will(func(context.Context, *change.Set) push.Result {
				time.Sleep(time.Minute)
				return push.Result{Outcome: end, Err: errDown}
			})
			nodes = append(nodes, NodeOptions{Name: fmt.Sprint(i), Target: dead, RetryMax: time.Second})
		}
		f := New(Options{Nodes: nodes, Slots: NewSlots(4, 1)})
		defer f.Close()
		f.Add(of("first"))
		time.Sleep(10 * time.Minute) // by now each was tried once
		alive.got()
		for range 30 {
			f.Add(of("x"))
			alive.expect("/x")
			time.Sleep(20 * time.Second)
		}
	})
}
