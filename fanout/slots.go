package fanout

import "context"

// Slots bound the pushes that are at work at once, over all mirrors and nodes. Who
// waits is served in order of arrival: the Go runtime queues senders on a
// channel first in, first out. So no mirror starves another.
//
// Of the slots no more than half go to nodes whose last push failed: what is
// down, and keeps each push until its timeout, leaves the rest to the others.
//
// The nil *Slots is no limit.
type Slots struct {
	all    chan struct{} // a token for each running push
	failed chan struct{} // one for each to a node that failed; taken first
}

// NewSlots returns n slots, or nil when n is not positive.
func NewSlots(n int) *Slots {
	if n <= 0 {
		return nil
	}
	return &Slots{all: make(chan struct{}, n), failed: make(chan struct{}, max(1, n/2))}
}

// acquire waits for a slot and returns what gives it back, or nil when ctx is
// done first.
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
