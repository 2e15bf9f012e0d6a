package fanout

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"inosyncd/internal/alive"
)

const (
	// endLimit is how long after its cancellation a push may still run. A
	// target ends what it has started much sooner.
	endLimit = time.Minute

	// lookAgain is how often somebody who asks looks whether the worker has
	// gone where it gives no answers.
	lookAgain = 100 * time.Millisecond
)

// Timed is a Target that ends what takes too long, and can tell when that has
// failed.
type Timed interface {
	// Overdue returns nil while the running push, if there is one, is within
	// its timeouts. It may be called at any time and does not block.
	Overdue() error
}

// Alive returns nil when every worker has answered, or is where it gives no
// answer for good reason: it waits for its rate or a slot, or it pushes and
// the push is within its timeouts. Otherwise, or when ctx is done before, the
// error names the nodes whose worker hangs.
func (f *Fanout) Alive(ctx context.Context) error {
	nodes := f.all()
	errs := make([]error, len(nodes))
	var asked sync.WaitGroup
	for i, n := range nodes {
		asked.Go(func() {
			if err := n.alive(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", n.name, err)
			}
		})
	}
	asked.Wait()
	return errors.Join(errs...)
}

func (n *node) alive(ctx context.Context) error {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		at := n.at.Load()
		switch at.where {
		case waiting, ended:
			return nil
		case pushing:
			return at.overdue()
		}
		select {
		case n.asks <- struct{}{}:
			return nil
		case <-again.C:
		case <-ctx.Done():
			return alive.ErrSilent
		}
	}
}

func (s *stay) overdue() error {
	if over := s.over(); over > endLimit {
		return fmt.Errorf("a push was cancelled and has not ended for %v", over.Round(time.Second))
	}
	if t, ok := s.target.(Timed); ok {
		return t.Overdue()
	}
	return nil
}

// whereabouts are where a worker can be.
type whereabouts int

const (
	home    whereabouts = iota // with its backlog: it answers
	waiting                    // for its rate, for others at its place, or a slot
	pushing
	ended
)

// stay tells where a worker is, without a lock, so that one who asks never
// waits for one that hangs.
type stay struct {
	where  whereabouts
	target Target                    // to which it pushes, if it does
	called atomic.Pointer[time.Time] // when it was called back: its push was cancelled
}

// goes says where the worker is from now on, and to which target it pushes.
func (n *node) goes(where whereabouts, target Target) *stay {
	s := &stay{where: where, target: target}
	n.at.Store(s)
	return s
}

func (s *stay) call() {
	now := time.Now()
	s.called.Store(&now)
}

// over is how long ago the worker was called back.
func (s *stay) over() time.Duration {
	if at := s.called.Load(); at != nil {
		return time.Since(*at)
	}
	return 0
}
