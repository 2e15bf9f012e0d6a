package fanout

import (
	"context"
	"sync"
)

// Slots limit the pushes that run at once, over all mirrors and nodes. Waiters are
// served in order of arrival (the Go runtime queues senders on a channel first in,
// first out), so no mirror starves another.
//
// At most half of the slots go to nodes whose last push failed. Nodes that are down
// keep each push until its timeout; the other half stays free for healthy nodes.
//
// A nil *Slots means no limit.
type Slots struct {
	all    chan struct{} // a token for each running push
	failed chan struct{} // one for each to a node that failed; taken first
	ending chan struct{} // one for each that has given back its slot and only ends
}

// NewSlots returns n slots, or nil when n is not positive. At most ending pushes
// besides may be reported and see a process end: see push.Reported. With 0 a push
// keeps its slot to its end, so no more processes run than there are slots.
func NewSlots(n, ending int) *Slots {
	if n <= 0 {
		return nil
	}
	return &Slots{
		all:    make(chan struct{}, n),
		failed: make(chan struct{}, max(1, n/2)),
		ending: make(chan struct{}, ending),
	}
}

// early returns what calls release once if the push may do without its slot, and
// what its end is to call.
func (s *Slots) early(release func()) (reported, end func()) {
	var mu sync.Mutex // guards given
	given := false
	reported = func() {
		mu.Lock()
		defer mu.Unlock()
		if given || s == nil {
			return
		}
		select {
		case s.ending <- struct{}{}:
			given = true
			release()
		default: // enough others end
		}
	}
	end = func() {
		mu.Lock()
		defer mu.Unlock()
		if given {
			<-s.ending
			return
		}
		release()
	}
	return reported, end
}

// acquire waits for a slot and returns the function that gives it back, or nil if
// ctx is done first.
func (s *Slots) acquire(ctx context.Context, failed bool) (release func()) {
	if s == nil {
		return func() {}
	}
	if !failed {
		return take(ctx, s.all)
	}
	first := take(ctx, s.failed)
	if first == nil {
		return nil
	}
	second := take(ctx, s.all)
	if second == nil {
		first()
		return nil
	}
	return func() { second(); first() }
}

func take(ctx context.Context, tokens chan struct{}) (release func()) {
	select {
	case tokens <- struct{}{}:
		return func() { <-tokens }
	case <-ctx.Done():
		return nil
	}
}
