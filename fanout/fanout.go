// Package fanout brings change sets to the nodes of a mirror. Every node has its
// own backlog, worker, retry schedule and state, so a node that is down, slow or
// full delays no other.
//
// # Ordering
//
// A node has one push at a time. A push carries everything that is due for the
// node when it starts; what is added meanwhile forms the next one. What a push did
// not confirm is merged back under what was added since, so the newest information
// on a path wins. Retries never end and nothing is dropped.
//
// [Fanout.Set] changes the nodes while they are served. A node that gets another
// target keeps its backlog and its history; the old target's push has ended before
// the new target is used. A node that is left out gets nothing any more.
//
// # Blocking
//
// Adding, holding, queries and Set never wait for a push. A backlog is bounded: past
// its limit it folds into parents and at last into "compare everything".
//
// # Shutdown
//
// [Fanout.Drain] lets every node empty its backlog; [Fanout.Close] cancels running
// pushes and waits for them. The full sync of the next start finds what is left.
package fanout

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// Target is the way to one node. Its methods are called by one goroutine at a
// time.
type Target interface {
	// Push makes the node equal to the source in everything that set names,
	// and returns the outcome; see push.Outcome. It returns soon after ctx is
	// done. It may read set until it returns. Left keeps the Held marks of set
	// and the times at which changes were noticed: the node's lag is measured
	// from its Since.
	//
	// push.Reported(ctx) frees the push's slot for another one when all that
	// is left is to wait for a process to end, unless too many others do.
	Push(ctx context.Context, set *change.Set) push.Result

	// Rest ends what stands ready for the next push, and does not wait for it:
	// the node is paused, or held for its source, which somebody may want to
	// unmount. It may be called again and again.
	Rest()

	// Close ends what is kept between pushes. No push follows.
	Close() error
}

// Options are the nodes of a mirror and what they share.
type Options struct {
	Nodes []NodeOptions
	Slots *Slots       // shared by all mirrors; nil: no limit
	Log   *slog.Logger // tells the mirror's name; nil discards
}

// NodeOptions say how one node is served.
type NodeOptions struct {
	Name string // for logs, status and commands; unique in its mirror

	// Target is the worker's from now on, which closes it. nil, for a node
	// that is there already: it goes on as it is, and no other option counts.
	Target Target

	// Place has a capacity of 1 and is shared by all, also in other mirrors,
	// who push to the same place: one at a time does. nil: nobody else does.
	Place chan struct{}

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
	log    *slog.Logger
	ctx    context.Context    // of the workers and their pushes
	cancel context.CancelFunc // of ctx
	done   sync.WaitGroup     // the workers

	mu    sync.Mutex   // guards what follows; before a node's
	nodes []*node      // replaced, never changed
	held  *status.Hold // by Hold, also for nodes that are yet to come
}

// New starts a worker for every node. The nodes know nothing of the source yet:
// the caller adds a full set when its watches are set.
func New(o Options) *Fanout {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fanout{log: o.Log}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.Set(o)
	return f
}

// Set makes the nodes those of o, in that order. A new node is served as by
// New, one that is not in o is left as by Keep, and one that gets a new Target
// is tried with it at once; a push that runs is cancelled for that. What is to
// be compared because of it is for the caller to add. No Close comes before it.
func (f *Fanout) Set(o Options) {
	names := make([]string, 0, len(o.Nodes))
	for _, no := range o.Nodes {
		names = append(names, no.Name)
	}
	f.Keep(names)
	f.mu.Lock()
	defer f.mu.Unlock()
	var nodes []*node
	for _, no := range o.Nodes {
		n := named(f.nodes, no.Name)
		if n == nil {
			n = f.start(no, o.Slots)
		} else {
			n.set(no, o.Slots)
		}
		nodes = append(nodes, n)
	}
	f.nodes = nodes
}

// Keep leaves all nodes but those of the names: their pushes are cancelled and
// none follows. It does not wait for their workers to end.
func (f *Fanout) Keep(names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kept []*node
	for _, n := range f.nodes {
		if slices.Contains(names, n.name) {
			kept = append(kept, n)
		} else {
			n.leave()
		}
	}
	f.nodes = kept
}

// start starts the worker of a new node; f.mu is held.
func (f *Fanout) start(o NodeOptions, slots *Slots) *node {
	n := newNode(o, slots, f.log.With("node", o.Name))
	n.source = f.held
	var ctx context.Context
	ctx, n.leave = context.WithCancel(f.ctx)
	f.done.Go(func() { n.run(ctx) })
	return n
}

// all are the nodes there are.
func (f *Fanout) all() []*node {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodes
}

func named(nodes []*node, name string) *node {
	i := slices.IndexFunc(nodes, func(n *node) bool { return n.name == name })
	if i < 0 {
		return nil
	}
	return nodes[i]
}

// Has reports whether there is a node of that name.
func (f *Fanout) Has(name string) bool { return named(f.all(), name) != nil }

// Add adds set to the backlog of every node. set is not kept.
func (f *Fanout) Add(set *change.Set) {
	for _, n := range f.all() {
		n.add(set)
	}
}

// Audit adds set, which compares everything, as Add does. Whatever the
// comparison then finds different, although nothing that was added before its
// end explains it, is reported as drift: a change made on the node, or one that
// was never noticed.
func (f *Fanout) Audit(set *change.Set) {
	for _, n := range f.all() {
		n.startAudit(set)
	}
}

// Verified notes that a node was just compared by content, and was equal. It
// reports whether there is a node of that name.
func (f *Fanout) Verified(name string) bool {
	return f.with(name, (*node).verified)
}

// AddNode adds set to the backlog of one node. It reports whether there is a
// node of that name.
func (f *Fanout) AddNode(name string, set *change.Set) bool {
	return f.with(name, func(n *node) { n.add(set) })
}

// Hold stops all pushes, as the source is gone: those that run are cancelled,
// none is started before Resume. The caller logs it.
func (f *Fanout) Hold(reason, cure string) { f.hold(&status.Hold{Reason: reason, Cure: cure}) }

// Resume ends a Hold. Every node is tried at once, also those that failed.
func (f *Fanout) Resume() { f.hold(nil) }

func (f *Fanout) hold(h *status.Hold) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = h
	for _, n := range f.nodes {
		n.hold(h)
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
	n := named(f.all(), name)
	if n != nil {
		do(n)
	}
	return n != nil
}

// Snapshot is the state of every node in the order of the options, without
// what only the mirror knows: see status.Node.Account.
func (f *Fanout) Snapshot() []status.Node {
	var all []status.Node
	for _, n := range f.all() {
		all = append(all, n.snapshot())
	}
	return all
}

// Covering are the names of the nodes that have not confirmed path.
func (f *Fanout) Covering(path string) []string {
	var names []string
	for _, n := range f.all() {
		if n.covers(path) {
			names = append(names, n.name)
		}
	}
	return names
}

// Drain waits until nothing can be gained by waiting: every node has confirmed
// everything, is held, or has been tried and failed. Nodes that wait for their
// next try have it now. It returns early when ctx is done, and reports whether
// everything is confirmed.
func (f *Fanout) Drain(ctx context.Context) bool {
	nodes := f.all()
	for _, n := range nodes {
		n.kick()
	}
	confirmed := true
	for _, n := range nodes {
		confirmed = n.settled(ctx) && confirmed
	}
	return confirmed
}

// Close cancels the running pushes and waits for the workers, which have then
// closed their targets.
func (f *Fanout) Close() {
	f.cancel()
	f.done.Wait()
}
