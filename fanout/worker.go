package fanout

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"inosyncd/internal/change"
	"inosyncd/internal/fault"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// run pushes what is due until ctx is done, and closes every target that the
// node had.
func (n *node) run(ctx context.Context) {
	defer n.goes(ended, nil)
	for ctx.Err() == nil {
		n.goes(home, nil)
		turn, cancel := context.WithCancel(ctx)
		o, slots := n.renew(cancel)
		n.turn(turn, o, slots)
		cancel()
	}
	o, _ := n.renew(func() {})
	n.close(o.Target) // nobody sets another: the node has left
}

// renew begins a turn with the current options; end ends it.
func (n *node) renew(end context.CancelFunc) (NodeOptions, *Slots) {
	n.mu.Lock()
	n.endTurn = end
	o, slots, unused := n.o, n.slots, n.unused
	n.unused = nil
	n.mu.Unlock()
	for _, t := range unused {
		n.close(t)
	}
	n.rate.SetLimit(rate.Limit(o.Rate))
	n.rate.SetBurst(o.Burst)
	return o, slots
}

func (n *node) close(t Target) {
	if err := t.Close(); err != nil {
		n.log.Warn("closing the way to a node failed", "err", err)
	}
}

// turn does one push. It first waits for something to push, for the rate, for other
// pushes to the same place, and for a slot; meanwhile the backlog grows.
func (n *node) turn(ctx context.Context, o NodeOptions, slots *Slots) {
	if !n.awaitDue(ctx, o.Target) {
		return
	}
	n.goes(waiting, nil)
	if n.rate.Wait(ctx) != nil {
		return
	}
	if o.Place != nil {
		leave := take(ctx, o.Place)
		if leave == nil {
			return
		}
		defer leave()
	}
	if release := slots.acquire(ctx, n.failing()); release != nil {
		reported, end := slots.early(release)
		defer end()
		n.goes(home, nil)
		n.push(push.WithReported(ctx, reported), o.Target)
	}
}

// awaitDue waits until a push may start, and returns false when ctx is done. The
// target rests while none may.
func (n *node) awaitDue(ctx context.Context, target Target) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		at, ok, stopped := n.due()
		if ok {
			return true
		}
		if stopped {
			target.Rest()
		}
		timer.Stop()
		if !at.IsZero() {
			timer.Reset(time.Until(at))
		}
		select {
		case <-n.wake:
		case <-n.asks:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return false
}

func (n *node) due() (at time.Time, ok, stopped bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped() {
		return time.Time{}, false, true
	}
	at, ok = n.backlog.due(time.Now())
	return at, ok, false
}

func (n *node) failing() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err != nil || n.held != nil
}

// push does one push, unless it is no longer due.
func (n *node) push(ctx context.Context, target Target) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	set := n.begin(cancel)
	if set == nil {
		return
	}
	defer context.AfterFunc(ctx, n.goes(pushing, target).call)()
	res := target.Push(ctx, set)
	fault.Point("fanout: pushed")
	n.goes(home, nil)
	n.report(n.finish(res, ctx.Err() != nil))
}

func (n *node) begin(cancel context.CancelFunc) *change.Set {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if _, ok := n.backlog.due(now); !ok || n.stopped() {
		return nil
	}
	set := n.backlog.take(now)
	fault.Point("fanout: taken")
	n.abort = cancel
	n.full = n.full || set.IsFull()
	return set
}

// finish puts back what the push did not confirm and sets the node's new state.
func (n *node) finish(res push.Result, cancelled bool) told {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.abort = nil
	n.bytes += res.Bytes
	n.deleted += int64(res.Deleted)
	defer n.notify()

	now := time.Now()
	t := told{res: res, drift: n.drifted(res.Found, now)}
	if cancelled && res.Outcome != push.Done {
		n.backlog.giveBack(n.left(res))
		t.cancelled = true
		return t
	}
	n.count(res, now)
	switch res.Outcome {
	case push.Done:
		n.succeed(res, now)
	case push.Hold:
		n.held, n.err = &status.Hold{Reason: why(res).Error(), Cure: res.Cure}, nil
		n.backlog.fail(n.left(res), res.Left == nil, now.Add(n.o.RetryMax))
	default:
		n.fail(res, now)
	}
	t.overcome = n.err == nil && n.held == nil
	if t.next = n.backlog.next; t.next.IsZero() { // kicked meanwhile
		t.next = now
	}
	return t
}

// count takes note of a push that was made.
func (n *node) count(res push.Result, now time.Time) {
	if res.Pretended {
		return
	}
	n.pushes++
	left := res.Left
	if res.Outcome != push.Done {
		left = n.left(res)
	}
	n.memory.confirm(n.backlog.sent, left, now)
}

// left is what a push that was not Done left. If it claims to have left nothing, it
// gave no reason for its failure, so all of it is retried.
func (n *node) left(res push.Result) *change.Set {
	if res.Left == nil || res.Left.Empty() {
		return n.backlog.sent
	}
	return res.Left
}

func (n *node) succeed(res push.Result, now time.Time) {
	if !res.Pretended {
		n.lastSuccess = now
	}
	if !n.backlog.confirm(res.Left) {
		// This push succeeded; what failed before still waits. But the change
		// may be what the hold waited for, such as files in an empty source.
		if n.held != nil {
			n.backlog.sooner(now.Add(n.retry.NextBackOff()))
		}
		return
	}
	n.err, n.held = nil, nil
	n.retry.Reset()
	full := n.full && !res.Pretended
	n.full = false
	if full {
		n.synced, n.lastFull = true, now
		if res.Verified {
			n.lastVerified = now
		}
		n.endAudit()
		fault.Point("fanout: full sync confirmed")
	}
}

func (n *node) fail(res push.Result, now time.Time) {
	n.failures++
	n.lastFailure = now
	n.err, n.cure, n.held = why(res), res.Cure, nil
	left, all := n.left(res), res.Outcome != push.Partly
	if !all {
		fresh, failed := n.backlog.progress(left)
		if failed {
			n.retry.Reset() // fewer fail than before: it is worth another try soon
		}
		all = !fresh
	}
	n.backlog.fail(left, all, now.Add(min(n.o.RetryMax, n.retry.NextBackOff())))
}
