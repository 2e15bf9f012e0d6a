package fanout

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// guarded is a node that holds back until it is approved.
type guarded struct {
	*fake
	approved chan struct{}
}

func (g *guarded) Approve() bool {
	select {
	case <-g.approved:
		return false
	default:
		close(g.approved)
		return true
	}
}

func (g *guarded) Holding() bool {
	select {
	case <-g.approved:
		return false
	default:
		return true
	}
}

func (g *guarded) Push(ctx context.Context, set *change.Set) push.Result {
	select {
	case <-g.approved:
		return g.fake.Push(ctx, set)
	default:
		return push.Result{Outcome: push.Hold, Err: errors.New("too many removals")}
	}
}

func TestApprove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{newFake(t), make(chan struct{})}
		f := New(Options{Nodes: []NodeOptions{{Name: "a", Target: g}, {Name: "b", Target: newFake(t)}}})
		defer f.Close()
		f.Pause("a")
		f.Add(of("x"))
		if f.Holding("a") {
			t.Error(`Holding("a"): got true, want false of a node that is only paused`)
		}
		if f.Approve("a") {
			t.Error(`Approve("a"): got true, want false of a node that is only paused`)
		}
		f.Unpause("a")
		expectState(t, f, "HELD 1 held: too many removals;  next: 5m0s")
		if !f.Holding("a") || f.Holding("b") || f.Holding("c") {
			t.Error("Holding(): got another answer than that a holds something back, and nobody else")
		}
		if f.Approve("b") {
			t.Error(`Approve("b"): got true, want false of a node that holds nothing back`)
		}
		if f.Approve("c") {
			t.Error(`Approve("c"): got true, want false of no node`)
		}
		if !f.Approve("a") {
			t.Error(`Approve("a"): got false, want true`)
		}
		expectState(t, f, "PENDING 0")
		g.expect("/x")
		if f.Holding("a") {
			t.Error(`Holding("a") after it was approved: got true, want false`)
		}
		if f.Approve("a") {
			t.Error(`Approve("a") again: got true, want false of a node that holds nothing back`)
		}
	})
}

func TestTouching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		target.will(lasting(time.Second))
		f.Add(of("a/b"))
		synctest.Wait()
		f.Add(of("c"))
		for path, want := range map[string][]string{"a": {"a"}, "a/b/c": {"a"}, "c": {"a"}, "": {"a"}, "d": nil} {
			if diff := cmp.Diff(want, f.Touching(path)); diff != "" {
				t.Errorf("Touching(%q) (-want +got):\n%s", path, diff)
			}
		}
		time.Sleep(time.Minute)
		if got := f.Touching(""); got != nil {
			t.Errorf(`Touching(""): got %q when all is confirmed, want none`, got)
		}
	})
}

// TestKickDuringAPush has something done about a node while a push finds it
// still undone: the next try does not wait.
func TestKickDuringAPush(t *testing.T) {
	for name, fails := range map[string]func(context.Context, *change.Set) push.Result{"again": down, "hold": full, "partly": refusing("x")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, target, _ := single(t, NodeOptions{})
				target.will(func(ctx context.Context, set *change.Set) push.Result {
					time.Sleep(time.Second)
					return fails(ctx, set)
				})
				f.Add(of("x"))
				synctest.Wait()
				f.Kick("a")
				target.expect("/x")
				target.will(nil)
				time.Sleep(time.Second)
				target.expect("/x")
				expectState(t, f, "PENDING 0")
			})
		})
	}
}
