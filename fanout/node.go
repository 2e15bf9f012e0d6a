package fanout

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"golang.org/x/time/rate"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
	"inosyncd/internal/status"
)

// node is one node: what it has not confirmed, and its state. Its worker is in
// worker.go.
type node struct {
	name  string
	rate  *rate.Limiter
	wake  chan struct{}        // capacity 1: the worker is to look again
	leave context.CancelFunc   // ends the worker
	asks  alive.Asks           // answered by the worker while it waits for something to push
	at    atomic.Pointer[stay] // where it is

	log  *slog.Logger // the worker's, as is the next
	said lastSaid

	mu      sync.Mutex // guards what follows
	o       NodeOptions
	slots   *Slots
	unused  []Target           // were o's; the worker closes them
	endTurn context.CancelFunc // has the worker begin anew with what is in o now
	retry   *backoff.ExponentialBackOff
	backlog *backlog
	abort   context.CancelFunc // ends the running push; nil when none runs
	moved   chan struct{}      // closed and replaced when a push ends or a hold begins

	source *status.Hold // by Hold
	paused bool         // by Pause
	held   *status.Hold // by the last push
	err    error        // of the last push that failed, until that is overcome
	cure   string       // of err

	memory memory // when which path was confirmed

	full   bool // a comparison of the whole tree has begun and is not complete
	synced bool // one has been completed

	audit    *audit        // nil: none is wanted
	drift    *status.Drift // found by the last one; nil: none
	repaired uint64        // differences in all audits

	lastSuccess, lastFull, lastFailure, lastVerified time.Time

	pushes, failures uint64
	bytes, deleted   int64
}

func newNode(o NodeOptions, slots *Slots, log *slog.Logger) *node {
	o = o.complete()
	n := &node{
		name:    o.Name,
		rate:    rate.NewLimiter(rate.Limit(o.Rate), o.Burst),
		o:       o,
		slots:   slots,
		wake:    make(chan struct{}, 1),
		asks:    alive.New(),
		log:     log,
		retry:   newBackOff(o),
		backlog: newBacklog(o.Limit),
		memory:  newMemory(time.Now()),
		moved:   make(chan struct{}),
	}
	n.goes(home, nil)
	return n
}

// complete sets the defaults of fields that are not set.
func (o NodeOptions) complete() NodeOptions {
	if o.RetryMin <= 0 {
		o.RetryMin = time.Second
	}
	if o.RetryMax <= 0 {
		o.RetryMax = 5 * time.Minute
	}
	if o.Rate <= 0 {
		o.Rate = float64(rate.Inf)
	}
	o.Burst = max(1, o.Burst)
	return o
}

// set gives the worker new options, if they have a Target. A running push is
// cancelled; what it has not confirmed is left for the next.
func (n *node) set(o NodeOptions, slots *Slots) {
	if o.Target == nil {
		return
	}
	n.change(func() {
		n.unused = append(n.unused, n.o.Target)
		n.o, n.slots = o.complete(), slots
		n.retry = newBackOff(n.o)
		n.backlog.kick()
		if n.endTurn != nil {
			n.endTurn()
		}
	})
}

func (n *node) add(set *change.Set) {
	n.change(func() {
		n.audit.explain(set)
		n.backlog.add(set)
	})
}

func (n *node) verified() {
	n.change(func() { n.lastVerified = time.Now() })
}

func (n *node) kick() {
	n.change(n.backlog.kick)
}

func (n *node) hold(h *status.Hold) {
	n.change(func() {
		n.source = h
		n.stop(h != nil)
	})
}

func (n *node) pause(paused bool) {
	n.change(func() {
		n.paused = paused
		n.stop(paused)
	})
}

// stop cancels the running push, or makes everything that waits due again.
func (n *node) stop(stop bool) {
	switch {
	case !stop:
		n.backlog.kick()
	case n.abort != nil:
		n.abort()
	}
	n.notify()
}

// change changes the node's state and wakes the worker.
func (n *node) change(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
	select {
	case n.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// notify wakes all who wait for the node to settle; n.mu is held.
func (n *node) notify() {
	close(n.moved)
	n.moved = make(chan struct{})
}

func (n *node) stopped() bool { return n.source != nil || n.paused }

// settled waits until no push runs or is due, or ctx is done, and reports
// whether everything is confirmed.
func (n *node) settled(ctx context.Context) bool {
	for {
		n.mu.Lock()
		_, due := n.backlog.due(time.Now())
		busy := n.abort != nil || due && !n.stopped()
		confirmed, moved := n.backlog.len() == 0, n.moved
		n.mu.Unlock()
		if !busy {
			return confirmed
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

func (n *node) covers(path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.backlog.covers(path)
}

func (n *node) snapshot() status.Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := status.Node{
		Node:         n.name,
		State:        n.state(),
		Pending:      n.backlog.len(),
		Since:        n.backlog.since(),
		Synced:       n.synced,
		LastSuccess:  status.At(n.lastSuccess),
		LastFullSync: status.At(n.lastFull),
		LastVerified: status.At(n.lastVerified),
		LastFailure:  status.At(n.lastFailure),
		Pushes:       n.pushes,
		Failures:     n.failures,
		BytesSent:    n.bytes,
		Deleted:      n.deleted,
		Repaired:     n.repaired,
	}
	if n.drift != nil {
		s.Drift = new(*n.drift)
	}
	if n.err != nil {
		text := n.err.Error()
		s.LastError = &text
		if n.cure != "" {
			s.Cure = new(n.cure)
		}
	}
	if s.State == status.Held {
		s.Held = n.reason()
	}
	if (s.State == status.Failed || s.State == status.Held) && !n.stopped() {
		s.NextTry = status.At(n.backlog.next)
	}
	return s
}

func (n *node) state() status.State {
	switch {
	case n.stopped():
		return status.Held
	case n.abort != nil:
		return status.Syncing
	case n.held != nil:
		return status.Held
	case n.err != nil:
		return status.Failed
	case !n.synced:
		return status.Pending
	default:
		return status.Success
	}
}

// reason is why the node is held: a missing source comes first, then a pause, then
// the result of the last push.
func (n *node) reason() *status.Hold {
	switch {
	case n.source != nil:
		h := *n.source
		return &h
	case n.paused:
		return &status.Hold{Reason: "paused", Cure: "inosyncd resume " + n.name}
	default:
		h := *n.held
		return &h
	}
}
