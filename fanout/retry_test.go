package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// A node that is down is tried for ever, ever more slowly up to RetryMax, and
// new changes make it no faster.
func TestRetrySchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := NodeOptions{RetryMin: time.Second, RetryMax: 5 * time.Minute}
		f, target, _ := single(t, o)
		target.will(down)
		for i := range 24 * 60 * 60 / 10 {
			f.Add(of(fmt.Sprint(i % 100)))
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		expected, longest := o.RetryMin, 0
		for i := 1; i < len(target.times); i++ {
			d := target.times[i] - target.times[i-1]
			least := min(expected*8/10, o.RetryMax*6/10)
			if most := min(expected*12/10+1, o.RetryMax); d < least || d > most {
				t.Errorf("delay %d: got %v, want %v to %v", i, d, least, most)
			}
			expected = min(expected*2, o.RetryMax)
			if d == o.RetryMax {
				longest++
			}
		}
		if longest > 1 {
			t.Errorf("delays of exactly RetryMax: got %d, want them to vary like the others", longest)
		}
		if n := len(target.times); n < 24*12 {
			t.Errorf("tries in a day: got %d, want at least %d", n, 24*12)
		}

		target.will(nil)
		time.Sleep(o.RetryMax)
		expectState(t, f, "PENDING 0") // all is confirmed, but it was never a full comparison
		target.got()
		target.will(down)
		f.Add(of("x"))
		time.Sleep(1500 * time.Millisecond)
		target.expect("/x", "/x") // the schedule has begun anew
	})
}

func TestFailureIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: time.Minute})
		target.will(down)
		f.Add(change.Full(time.Now()))
		synctest.Wait()
		n := f.Snapshot()[0]
		if n.State != "FAILED" || n.LastError == nil || *n.LastError != "connection refused" || n.LastFailure == nil {
			t.Errorf("Snapshot() of a failed node: got %+v", n)
		}
		if n.Cure == nil || *n.Cure != "start it" {
			t.Errorf("Snapshot() of a failed node: got cure %v, want that of the push", n.Cure)
		}
		if d := time.Until(*n.NextTry); d < 48*time.Second || d > 72*time.Second {
			t.Errorf("next_try: got in %v, want in about 1m", d)
		}
		target.will(lasting(time.Hour))
		f.Kick("a")
		expectState(t, f, "SYNCING 1 err: connection refused")
		time.Sleep(time.Hour)
		expectState(t, f, "SUCCESS 0")
	})
}

// One file that cannot be sent keeps nothing else from a node.
func TestPartlyKeepsTheRestGoing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: 10 * time.Minute, RetryMax: time.Hour})
		target.will(refusing("bad"))
		f.Add(change.Full(time.Now()))
		target.expect("/")
		if n := f.Snapshot()[0]; n.State != "FAILED" || n.Synced || n.LastFullSync != nil {
			t.Errorf("Snapshot() after a comparison that was not complete: got %+v", n)
		}
		f.Add(of("good"))
		target.expect("/good")
		f.Add(of("bad")) // alone, and nothing goes through: the node may be the matter
		target.expect("/bad")
		f.Add(of("good"))
		target.expect()
		time.Sleep(24 * time.Minute) // 20 and the jitter
		target.expect("/bad /good")
		f.Add(of("better"))
		target.expect("/better")

		target.will(nil)
		time.Sleep(48 * time.Minute)
		target.expect("/bad")
		expectState(t, f, "SUCCESS 0")
		if n := f.Snapshot()[0]; n.LastFullSync == nil {
			t.Error("last_full_sync: got null after the last of it was confirmed")
		}
	})
}

// New failures do not put off the next try of old ones.
func TestOldFailuresAreNotPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: 10 * time.Minute, RetryMax: time.Hour})
		target.will(refusing("bad", "worse"))
		f.Add(of("bad", "good"))
		for range 30 {
			f.Add(of("worse", "good"))
			time.Sleep(time.Minute)
		}
		tries := 0
		for _, set := range target.got() {
			if strings.Contains(set, "/bad") {
				tries++
			}
		}
		if tries < 2 {
			t.Errorf("tries of the first failure in 30m: got %d, want at least 2", tries)
		}
	})
}

// What fails less each time is tried again soon; what fails the same, slowly.
func TestProgressIsTriedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: time.Second, RetryMax: time.Hour})
		all := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
		target.will(func(ctx context.Context, set *change.Set) push.Result {
			all = all[1:] // one more goes through each time
			return refusing(all...)(ctx, set)
		})
		f.Add(of(all...))
		time.Sleep(12 * time.Second)
		if got := len(target.got()); got != 10 {
			t.Errorf("pushes in 12s: got %d, want 10", got)
		}
		expectState(t, f, "PENDING 0")
	})
}

func TestHeldNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: time.Second, RetryMax: 5 * time.Minute})
		target.will(full)
		f.Add(of("x"))
		expectState(t, f, "HELD 1 held: no space left on device; make room next: 5m0s")
		f.Add(of("y"))
		time.Sleep(4 * time.Minute)
		target.expect("/x")
		time.Sleep(time.Minute)
		target.expect("/x /y")
		f.Kick("a")
		target.expect("/x /y")
		target.will(down)
		f.Kick("a")
		expectState(t, f, "FAILED 2 err: connection refused next: 1s")
		target.will(nil)
		f.Resume() // the source is back: whoever waits is tried at once
		expectState(t, f, "PENDING 0")
	})
}

// What changed while it was sent goes around again at the pace of the rate,
// and is neither a failure nor in the way of a full sync.
func TestDoneWithLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, log := single(t, NodeOptions{Rate: 1, Burst: 1})
		target.will(func(context.Context, *change.Set) push.Result {
			return push.Result{Outcome: push.Done, Left: of("log")}
		})
		f.Add(change.Full(time.Now()))
		expectState(t, f, "SUCCESS 1")
		time.Sleep(3500 * time.Millisecond)
		target.expect("/", "/log", "/log", "/log")
		if n := f.Snapshot()[0]; !n.Synced || n.Failures != 0 {
			t.Errorf("Snapshot(): got %+v", n)
		}
		if lines := logged(log); len(lines) != 4 {
			t.Errorf("log: got %q, want 4 lines", lines)
		}
	})
}

// A failure that says that nothing is left is believed in nothing.
func TestFailureWithoutLeft(t *testing.T) {
	for _, o := range []push.Outcome{push.Partly, push.Again, push.Hold} {
		t.Run(o.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, target, _ := single(t, NodeOptions{})
				target.will(func(context.Context, *change.Set) push.Result {
					return push.Result{Outcome: o, Left: change.New(0)}
				})
				f.Add(of("x"))
				synctest.Wait()
				if n := f.Snapshot()[0]; n.Pending != 1 {
					t.Errorf("Pending after %v: got %d, want 1", o, n.Pending)
				}
			})
		})
	}
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, log := single(t, NodeOptions{RetryMin: time.Second, RetryMax: time.Minute})
		expect := func(what string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, logged(log)); diff != "" {
				t.Errorf("log %s (-want +got):\n%s", what, diff)
			}
		}
		target.will(func(context.Context, *change.Set) push.Result {
			return push.Result{Outcome: push.Done, Paths: 3, Bytes: 1234, Took: 1500 * time.Microsecond}
		})
		f.Add(of("x"))
		const pushed = `level=INFO msg=pushed mirror=www node=a paths=3 bytes=1234 deleted=0 took=1.5ms`
		expect("of a push", pushed)
		good := target.answer

		const failed = `level=ERROR msg="push failed" mirror=www node=a err="connection refused" cure="start it"`
		target.will(down)
		f.Add(of("x"))
		expect("of a failure", failed)
		time.Sleep(150 * time.Minute)
		again := int(f.Snapshot()[0].Failures) - 1
		expect("of the same failure for 2.5h", slices.Repeat([]string{failed}, again)...)

		target.will(func(context.Context, *change.Set) push.Result {
			return push.Result{Outcome: push.Again, Err: errors.New("host unknown")}
		})
		f.Kick("a")
		expect("of another failure", `level=ERROR msg="push failed" mirror=www node=a err="host unknown"`)

		target.will(func(context.Context, *change.Set) push.Result {
			return push.Result{Outcome: push.Again, Err: errFull}
		})
		f.Kick("a")
		expect("of what becomes a hold", `level=ERROR msg="push failed" mirror=www node=a err="no space left on device"`)
		target.will(full)
		f.Kick("a")
		expect("of a hold", `level=ERROR msg=held mirror=www node=a reason="no space left on device" cure="make room"`)
		for range 200 {
			time.Sleep(time.Minute)
		}
		for _, line := range logged(log) {
			if want := `level=DEBUG msg=held mirror=www node=a reason="no space left on device" cure="make room"`; line != want {
				t.Errorf("log of the same hold: got %q, want %q", line, want)
			}
		}

		target.will(good)
		f.Kick("a")
		expect("of recovery", pushed, `level=INFO msg=recovered mirror=www node=a`)
		f.Add(of("x"))
		expect("afterwards", pushed)
	})
}

// TestHoldOfAPart keeps back only what a hold is about: a batch that would
// remove too much holds its removals, and nothing that is new.
func TestHoldOfAPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		target.will(func(context.Context, *change.Set) push.Result {
			return push.Result{Outcome: push.Hold, Left: of("gone"), Err: errFull, Cure: "approve"}
		})
		f.Add(of("gone", "new"))
		synctest.Wait()
		target.expect("/gone /new")
		target.will(nil)
		f.Add(of("newer"))
		synctest.Wait()
		target.expect("/newer")
		if s := f.Snapshot()[0]; s.State != status.Held || s.Pending != 1 {
			t.Errorf("Snapshot(): got %s with %d pending, want HELD with 1", s.State, s.Pending)
		}
		time.Sleep(2 * time.Second) // what came may have ended the reason
		target.expect("/gone")
		expectState(t, f, "PENDING 0")
	})
}
