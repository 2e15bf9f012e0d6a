package fanout

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// A push whose node has reported that it is done leaves its slot to another,
// but it confirms nothing before it has ended, and then what its end says counts.
func TestReportedFreesTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newFake(t), newFake(t)
		first.will(func(ctx context.Context, set *change.Set) push.Result {
			time.Sleep(time.Second)
			push.Reported(ctx)
			push.Reported(ctx)
			time.Sleep(time.Second)
			return down(ctx, set)
		})
		second.will(lasting(time.Hour))
		f := New(Options{Slots: NewSlots(1, 1), Nodes: []NodeOptions{
			{Name: "first", Target: first}, {Name: "second", Target: second},
		}})
		defer f.Close()
		f.AddNode("first", of("a"))
		synctest.Wait()
		f.AddNode("second", of("b"))
		second.expect()

		time.Sleep(time.Second)
		second.expect("/b")
		if got := f.Snapshot()[0]; got.State != status.Syncing || got.Pending != 1 || got.LastSuccess != nil {
			t.Errorf("state when the end is reported: got %s, %d pending, last success %v; want SYNCING, 1, none",
				got.State, got.Pending, got.LastSuccess)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := f.Snapshot()[0]; got.State != status.Failed || got.Pending != 1 {
			t.Errorf("state after a bad end: got %s, %d pending; want FAILED, 1", got.State, got.Pending)
		}
		time.Sleep(time.Minute) // the slot is second's, which keeps it
		first.expect("/a")
	})
}

// Pushes that only end are bounded too: past that bound a push keeps its slot,
// and where it is 0 there are never more processes than slots.
func TestEndingIsBounded(t *testing.T) {
	for _, ending := range []int{0, 1, 2} {
		synctest.Test(t, func(t *testing.T) {
			o := Options{Slots: NewSlots(1, ending)}
			targets := []*fake{newFake(t), newFake(t), newFake(t)}
			for i, name := range []string{"a", "b", "c"} {
				targets[i].will(func(ctx context.Context, _ *change.Set) push.Result {
					push.Reported(ctx)
					push.Reported(ctx)
					time.Sleep(time.Minute)
					return push.Result{Outcome: push.Done}
				})
				o.Nodes = append(o.Nodes, NodeOptions{Name: name, Target: targets[i]})
			}
			f := New(o)
			defer f.Close()
			for _, name := range []string{"a", "b", "c"} {
				f.AddNode(name, of("x"))
				synctest.Wait()
			}
			for minute, want := range [][]int{{1, 1, 1, 0}, {2, 1, 0, 0}, {3, 0, 0, 0}}[ending] {
				synctest.Wait()
				begun := 0
				for _, target := range targets {
					begun += len(target.got())
				}
				if begun != want {
					t.Errorf("%d may end: pushes begun after %d minutes: got %d, want %d", ending, minute, begun, want)
				}
				time.Sleep(time.Minute)
			}
			for _, name := range []string{"a", "b", "c"} { // as at first
				f.AddNode(name, of("y"))
				synctest.Wait()
			}
			begun := 0
			for _, target := range targets {
				begun += len(target.got())
			}
			if begun != ending+1 {
				t.Errorf("%d may end: pushes begun when all before have ended: got %d, want %d", ending, begun, ending+1)
			}
		})
	}
}

// Whoever has a slot gives it back, and who goes without waits for nothing.
func TestSlotsAreGivenBack(t *testing.T) {
	for _, failed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := NewSlots(2, 0)
			for range 5 {
				first, second := s.acquire(t.Context(), false), s.acquire(t.Context(), false)
				stopped, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if s.acquire(stopped, failed) != nil {
					t.Fatalf("acquire() of one slot more: got it, want to be stopped")
				}
				first()
				s.acquire(t.Context(), failed)() // hangs if none is free
				second()
			}
		})
	}
}
