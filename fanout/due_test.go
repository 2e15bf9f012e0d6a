package fanout

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// TestAuditIsPending: from the moment in which a scheduled full sync is due the
// node is not in sync, until one that has begun since has ended well.
func TestAuditIsPending(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(f *Fanout, target *fake) // the audit is due
		after  func(f *Fanout, target *fake)
	}{
		{"at rest", func(_ *Fanout, target *fake) { target.will(lasting(time.Hour)) }, nil},
		{
			"it fails",
			func(_ *Fanout, target *fake) { target.will(down) },
			func(_ *Fanout, target *fake) { target.will(nil) },
		},
		{
			"a part of it fails",
			func(_ *Fanout, target *fake) { target.will(refusing("d/f")) },
			func(_ *Fanout, target *fake) { target.will(nil) },
		},
		{
			"it is held",
			func(_ *Fanout, target *fake) { target.will(full) },
			func(f *Fanout, target *fake) { target.will(nil); f.Kick("a") },
		},
		{
			"it is broken off",
			func(_ *Fanout, target *fake) { target.will(hang) },
			func(f *Fanout, target *fake) { target.will(nil); f.Pause("a"); f.Unpause("a") },
		},
		{
			"the node is paused",
			func(f *Fanout, _ *fake) { f.Pause("a") },
			func(f *Fanout, _ *fake) { f.Unpause("a") },
		},
		{
			"the source is gone",
			func(f *Fanout, _ *fake) { f.Hold("gone", "") },
			func(f *Fanout, _ *fake) { f.Resume() },
		},
		{
			"the node is replaced meanwhile",
			func(_ *Fanout, target *fake) { target.will(hang) },
			func(f *Fanout, target *fake) {
				f.Set(Options{Nodes: []NodeOptions{{Name: "a", Target: newFake(target.t)}}})
			},
		},
		{
			"a push runs",
			func(f *Fanout, target *fake) {
				target.will(func(ctx context.Context, set *change.Set) push.Result {
					if set.IsFull() {
						return hang(ctx, set)
					}
					return lasting(10*time.Minute)(ctx, set)
				})
				f.Add(of("d/f"))
				synctest.Wait()
			},
			func(f *Fanout, target *fake) { target.will(nil); f.Pause("a"); f.Unpause("a") },
		},
		{
			"the one before runs",
			func(f *Fanout, target *fake) {
				target.will(lasting(40 * time.Minute))
				f.Audit(change.Full(time.Now()))
				synctest.Wait()
			},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, target, _ := single(t, NodeOptions{RetryMax: time.Minute})
				f.Add(change.Full(time.Now()))
				expectInSync(t, f, "after the first full sync", true)
				tt.before(f, target)
				due := time.Now()
				f.Audit(change.Full(due))
				for range 3 {
					expectInSync(t, f, "while a full sync is due", false)
					time.Sleep(15 * time.Minute)
				}
				if tt.after != nil {
					tt.after(f, target)
				}
				time.Sleep(3 * time.Hour)
				expectInSync(t, f, "after it", true)
				if last := f.Snapshot()[0].LastFullSync; !last.After(due) {
					t.Errorf("LastFullSync: got %v, want it after %v", last, due)
				}
			})
		})
	}
}

// expectInSync wants a node to be in sync as far as its fanout knows.
func expectInSync(t *testing.T, f *Fanout, when string, want bool) {
	t.Helper()
	synctest.Wait()
	n := f.Snapshot()[0]
	if n.Account(0, time.Time{}, true, time.Now()); n.InSync != want {
		t.Errorf("%s: got in sync %v, want %v: %+v", when, n.InSync, want, n)
	}
}
