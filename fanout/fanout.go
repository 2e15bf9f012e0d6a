// Package fanout brings change sets to the nodes of a mirror. Every node has a
// backlog, a worker that pushes it, its own schedule of retries and its own
// state, so a node that is down, slow or full concerns no other.
//
// # Ordering
//
// A node has one push at a time. A push carries everything that is due for the
// node when it starts; what is added meanwhile forms the next one. What a push
// did not confirm goes back under what was added since, so the newest word on
// a path stands. There is no last try and nothing is dropped.
//
// # Blocking
//
// Adding, holding and asking never wait for a push. A backlog is bounded: past
// its limit it folds into parents and in the end into "compare everything".
//
// # Shutdown
//
// [Fanout.Drain] gives every node the chance to empty its backlog,
// [Fanout.Close] cancels what runs and waits for it. What is then left is for
// the comparison of the next start.
package fanout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// Target is the way to one node. Its methods are called by one goroutine at a
// time.
type Target interface {
	// Push makes the node equal to the source in everything that set names
	// and answers what it came to; see push.Outcome. It returns soon after
	// ctx is done. set is the callee's to read until it returns. Left keeps
	// the Held marks of set and the times at which changes were noticed: its
	// Since is what the node's lag is measured from.
	Push(ctx context.Context, set *change.Set) push.Result

	// Close ends what is kept between pushes. No push follows.
	Close() error
}

// Options are the nodes of a mirror and what they share.
type Options struct {
	Mirror string // its name, for logs
	Nodes  []NodeOptions
	Slots  *Slots       // shared by all mirrors; nil: no limit
	Log    *slog.Logger // nil discards
}

// NodeOptions say how one node is served.
type NodeOptions struct {
	Name   string // for logs, status and commands; unique in its mirror
	Target Target

	// Rate and Burst are a token bucket on the starts of pushes: so many a
	// second in the long run, and so many at once after a rest. Rate 0: no
	// limit; Burst is 1 at least.
	Rate  float64
	Burst int

	// RetryMin is about the delay after the first failure, RetryMax is never
	// exceeded; 0 are 1 s and 5 min.
	RetryMin, RetryMax time.Duration

	Limit int // of the backlog's entries; 0 is change.DefaultLimit
}

// Fanout serves the nodes of a mirror. Its methods may be called from any
// goroutine.
type Fanout struct {
	nodes  []*node
	cancel context.CancelFunc // ends the workers and their pushes
	done   sync.WaitGroup     // the workers
	close  func() error       // once
}

// New starts a worker for every node. The nodes know nothing of the source yet:
// the caller adds a full set when its watches are set.
func New(o Options) *Fanout {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &Fanout{cancel: cancel}
	f.close = sync.OnceValue(f.shut)
	for _, no := range o.Nodes {
		n := newNode(no, o.Slots, o.Log.With("mirror", o.Mirror, "node", no.Name))
		f.nodes = append(f.nodes, n)
		f.done.Go(func() { n.run(ctx) })
	}
	return f
}

// Add adds set to the backlog of every node. set is not kept.
func (f *Fanout) Add(set *change.Set) {
	for _, n := range f.nodes {
		n.add(set)
	}
}

// AddNode adds set to the backlog of one node. It reports whether there is a
// node of that name.
func (f *Fanout) AddNode(name string, set *change.Set) bool {
	return f.with(name, func(n *node) { n.add(set) })
}

// Hold stops all pushes, as the source is gone: those that run are cancelled,
// none is started before Resume. The caller logs it.
func (f *Fanout) Hold(reason, cure string) {
	for _, n := range f.nodes {
		n.hold(&status.Hold{Reason: reason, Cure: cure})
	}
}

// Resume ends a Hold. Every node is tried at once, also those that failed.
func (f *Fanout) Resume() {
	for _, n := range f.nodes {
		n.hold(nil)
	}
}

// Pause stops the pushes to one node until Unpause, for a person; one that runs
// is cancelled. It reports whether there is a node of that name.
func (f *Fanout) Pause(name string) bool {
	return f.with(name, func(n *node) { n.pause(true) })
}

// Unpause ends a Pause.
func (f *Fanout) Unpause(name string) bool {
	return f.with(name, func(n *node) { n.pause(false) })
}

// Kick has a node that failed or is held try again at once: something was done
// about it. It reports whether there is a node of that name.
func (f *Fanout) Kick(name string) bool {
	return f.with(name, (*node).kick)
}

func (f *Fanout) with(name string, do func(*node)) bool {
	for _, n := range f.nodes {
		if n.o.Name == name {
			do(n)
			return true
		}
	}
	return false
}

// Snapshot is the state of every node in the order of the options, without
// what only the mirror knows: see status.Node.Account.
func (f *Fanout) Snapshot() []status.Node {
	all := make([]status.Node, len(f.nodes))
	for i, n := range f.nodes {
		all[i] = n.snapshot()
	}
	return all
}

// Covering are the names of the nodes that have not confirmed path.
func (f *Fanout) Covering(path string) []string {
	var names []string
	for _, n := range f.nodes {
		if n.covers(path) {
			names = append(names, n.o.Name)
		}
	}
	return names
}

// Drain waits until nothing can be gained by waiting: every node has confirmed
// everything, is held, or has been tried and failed. Nodes that wait for their
// next try have it now. It returns early when ctx is done, and reports whether
// everything is confirmed.
func (f *Fanout) Drain(ctx context.Context) bool {
	for _, n := range f.nodes {
		n.kick()
	}
	confirmed := true
	for _, n := range f.nodes {
		confirmed = n.settled(ctx) && confirmed
	}
	return confirmed
}

// Close cancels the running pushes, waits for the workers and closes the
// targets, whose errors it joins.
func (f *Fanout) Close() error { return f.close() }

func (f *Fanout) shut() error {
	f.cancel()
	f.done.Wait()
	var errs []error
	for _, n := range f.nodes {
		if err := n.o.Target.Close(); err != nil {
			errs = append(errs, fmt.Errorf("closing %s: %w", n.o.Name, err))
		}
	}
	return errors.Join(errs...)
}
