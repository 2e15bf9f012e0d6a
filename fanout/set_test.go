package fanout

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// names are the nodes that a Fanout tells of.
func names(f *Fanout) (names []string) {
	for _, n := range f.Snapshot() {
		names = append(names, n.Node)
	}
	return names
}

// A node that gets another target keeps all that it had but for the push that
// ran, and nothing that was pending is lost.
func TestSetReplacesATarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, first, log := single(t, NodeOptions{})
		f.Add(change.Full(time.Now()))
		first.expect("/")
		first.will(hang)
		f.Add(of("x"))
		synctest.Wait()
		f.Add(of("y"))
		first.expect("/x")
		logged(log)

		second := newFake(t)
		second.will(func(context.Context, *change.Set) push.Result {
			if first.closed != 1 {
				t.Error("the new target is pushed to before the old one is closed")
			}
			return push.Result{Outcome: push.Done, Paths: 2, Bytes: 10}
		})
		f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: second}}})
		second.expect("/x /y")
		first.expect()
		expectState(t, f, "SUCCESS 0")
		if n := f.Snapshot()[0]; n.Pushes != 2 || n.Failures != 0 || n.BytesSent != 20 || !n.Synced {
			t.Errorf("Snapshot(): got %+v, want what both targets were sent, and no failure", n)
		}
		want := []string{
			`level=DEBUG msg="push cancelled" mirror=www node=a`,
			`level=INFO msg=pushed mirror=www node=a paths=2 bytes=10 deleted=0 took=0s`,
		}
		if diff := cmp.Diff(want, logged(log)); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// Another target is tried at once, whatever is being waited for, with the options
// that come with it.
func TestSetEndsEveryWait(t *testing.T) {
	for name, begin := range map[string]func(f *Fanout, first *fake, o *Options){
		"for the next try": func(_ *Fanout, first *fake, _ *Options) { first.will(down) },
		"for a person":     func(_ *Fanout, first *fake, _ *Options) { first.will(full) },
		"for a push":       func(_ *Fanout, first *fake, _ *Options) { first.will(hang) },
		"for the rate":     func(f *Fanout, _ *fake, _ *Options) { f.Add(of("before")) },
		"for a slot":       func(_ *Fanout, _ *fake, o *Options) { o.Slots.all <- struct{}{} },
		"for the place":    func(_ *Fanout, _ *fake, o *Options) { o.Nodes[0].Place <- struct{}{} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := newFake(t), newFake(t)
				o := Options{Slots: NewSlots(1, 1), Nodes: []NodeOptions{{
					Name: "a", Target: first, Rate: 0.001, Place: make(chan struct{}, 1),
					RetryMin: time.Hour, RetryMax: time.Hour,
				}}}
				f := New(o)
				defer f.Close()
				begin(f, first, &o)
				synctest.Wait()
				f.Add(of("x"))
				synctest.Wait()
				f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: second, Rate: 1}}})
				time.Sleep(time.Second)
				second.expect("/x")
				time.Sleep(time.Second)
				f.Add(of("y"))
				second.expect("/y")
			})
		})
	}
}

// What was replaced before it was used is closed as well.
func TestSetTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, first, _ := single(t, NodeOptions{})
		first.will(lasting(time.Minute)) // it does not listen to being cancelled
		f.Add(of("x"))
		synctest.Wait()
		second, third := newFake(t), newFake(t)
		f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: second}}})
		f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: third}}})
		f.Set(Options{Nodes: []NodeOptions{{Name: "a"}}})
		f.Add(of("y"))
		time.Sleep(time.Minute)
		third.expect("/y")
		first.expect("/x")
		second.expect()
		f.Close()
		for i, target := range []*fake{first, second, third} {
			if target.closed != 1 {
				t.Errorf("target %d: closed %d times, want once", i, target.closed)
			}
		}
	})
}

// Adding, replacing and leaving nodes is nothing to the others, and it waits for
// none, not for one that does not listen either.
func TestSetLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, quick, late := newFake(t), newFake(t), newFake(t)
		stuck.will(lasting(time.Hour))
		f := New(Options{Nodes: []NodeOptions{{Name: "stuck", Target: stuck}, {Name: "quick", Target: quick}}})
		defer f.Close()
		f.Add(of("x"))
		quick.expect("/x")
		quick.will(lasting(time.Minute))
		f.Add(of("y"))
		synctest.Wait()

		begin := time.Now()
		f.Set(Options{Nodes: []NodeOptions{{Name: "late", Target: late}, {Name: "quick"}}})
		f.AddNode("late", change.Full(time.Now()))
		late.expect("/")
		f.Add(of("z"))
		late.expect("/z")
		if took := time.Since(begin); took != 0 {
			t.Errorf("Set(): took %v beside a stuck node, want no time", took)
		}
		if got := names(f); !slices.Equal(got, []string{"late", "quick"}) {
			t.Errorf("Snapshot(): got nodes %q, want late and quick", got)
		}
		time.Sleep(time.Minute)
		quick.expect("/y", "/z")
		if n := f.Snapshot()[1]; n.Pushes != 2 {
			t.Errorf("pushes of a node that was left alone: got %d, want 2", n.Pushes)
		}
		time.Sleep(2 * time.Hour)
		stuck.expect("/x")
		if stuck.closed != 1 || quick.closed != 0 {
			t.Errorf("closed: got the node that has left %d times, the other %d, want 1 and 0", stuck.closed, quick.closed)
		}
	})
}

// A node that comes is held and paused as the others are: nothing is pushed to
// it while the source is gone.
func TestSetDuringAHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		f.Hold("gone", "")
		f.Pause("a")
		next, late := newFake(t), newFake(t)
		f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: next}, {Name: "b", Target: late}}})
		f.Add(of("x"))
		next.expect()
		late.expect()
		f.Resume()
		late.expect("/x")
		next.expect()
		f.Unpause("a")
		next.expect("/x")
		target.expect()
		if s := f.Snapshot()[1].State; s != status.Pending {
			t.Errorf("state of the new node: got %s, want PENDING", s)
		}
	})
}

// A node that is left and comes back, here or in another mirror, gets nothing
// until what was still running there has ended.
func TestOneAtAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		place := make(chan struct{}, 1)
		old, here, there := newFake(t), newFake(t), newFake(t)
		old.will(lasting(time.Minute))
		f := New(Options{Nodes: []NodeOptions{{Name: "a", Target: old, Place: place}}})
		other := New(Options{})
		defer f.Close()
		defer other.Close()
		f.Add(of("x"))
		old.expect("/x")
		f.Set(Options{})
		f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: here, Place: place}}})
		other.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: there, Place: place}}})
		f.Add(of("y"))
		other.Add(of("z"))
		time.Sleep(59 * time.Second)
		here.expect()
		there.expect()
		time.Sleep(2 * time.Second)
		here.expect("/y")
		there.expect("/z")
	})
}
