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
		f := New(Options{Slots: NewSlots(1), Nodes: []NodeOptions{
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
