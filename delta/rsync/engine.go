// Package rsync makes a node equal to the source by driving a stock rsync.
//
// A push names what changed and nothing else, so that its cost does not grow
// with the tree: rsync gets the list of a [delta.Plan] on its standard input,
// as bytes, NUL-separated. There is no shell in any of it.
//
// rsync runs in the very directory that the plan looked at, as an open
// descriptor, and with "." for its source: should the source be unmounted or
// replaced meanwhile, the path leads elsewhere but rsync does not.
//
// What rsync alone would get wrong is made up for: times are compared to the
// nanosecond; what was written and yet looks the same is compared by content;
// what changed while it was read goes around again; and excluded entries on
// the node are safe from every kind of removal.
//
// # Ordering
//
// A push first sends what exists, then compares by content what has to be, then
// removes what is missing, in a run of its own: a moved file is somewhere at
// all times, unless the node has no room to have it twice. Where whole
// directories are compared, rsync removes at the end of the run
// (--delete-delay), and nothing if it could not read all of the source.
//
// # Blocking and shutdown
//
// Push blocks until the node has confirmed or the push has failed: until rsync
// has ended, that is. It says with push.Reported when only that is left. When its
// context ends, rsync is told to end, and made to a few seconds later; Push
// returns when it has. Close ends the shared ssh connection and waits for that.
// Between pushes nothing runs on but that connection and, for a minute after a
// push, the rsync that is armed for the next. That one keeps the source's file
// system in use, and one connection to the node.
package rsync

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"inosyncd/delta"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// Engine makes one node equal to the source. Approve may be called at any
// time; of Push, Rest and Close only one runs at a time.
type Engine struct {
	o        *node.Options // of the node
	node     *node.Node
	log      *slog.Logger
	armourer *armourer // nil where nothing is armed
	to       string    // the destination, as rsync takes it
	always   []string  // arguments of every run

	checked  bool // the program is there and new enough
	filled   bool // the source had something in it once, and not too late
	hollow   bool // it was empty at first, which has held removals since
	poorHand bool // the receiver cannot do --delete-missing-args

	running atomic.Pointer[process.Process] // of the push; nil while it runs none

	mu       sync.Mutex
	held     *deletions // that a push did not make; nil: none; guarded by mu
	approved *deletions // nil: none; guarded by mu
}

// New returns the engine for a node. It starts nothing.
func New(o node.Options) (*Engine, error) {
	n, err := node.New(o)
	if err != nil {
		return nil, err
	}
	e := &Engine{o: &n.Options, node: n, log: n.Log, to: o.Address.Operand(), always: n.Arguments(n.Options)}
	if o.Armed != nil {
		e.armourer = newArmourer(e, o.Armed)
	}
	return e, nil
}

// Close ends what the engine keeps between pushes.
func (e *Engine) Close() error {
	e.armourer.close()
	return e.node.Close()
}

// Rest ends the rsync that is armed, within seconds, and keeps none armed until a
// push has gone well. It does not wait for that.
func (e *Engine) Rest() { e.armourer.report(false) }

// Push makes the node equal to the source in everything that set names. The
// result's Left is set only where not all of set is left.
func (e *Engine) Push(ctx context.Context, set *change.Set) push.Result {
	began := time.Now()
	res := e.push(ctx, set)
	res.Took = time.Since(began)
	e.armourer.report(res.Outcome == push.Done)
	return res
}

func (e *Engine) push(ctx context.Context, set *change.Set) push.Result {
	if err := e.check(ctx); err != nil {
		if _, old := errors.AsType[*process.TooOld](err); old || unstarted(err).outcome == push.Hold {
			return push.Result{Outcome: push.Hold, Err: err, Cure: NeedsProgram(err)}
		}
		return push.Result{Outcome: push.Again, Err: err}
	}
	// One that is given while this push is under way is for the next: the set
	// was taken before, and may be of something else.
	approved := e.approval()
	plan, set, err := e.plan(ctx, set)
	if err != nil {
		return delta.Unplanned(err)
	}
	defer func() { _ = plan.Close() }()
	b := newBatch(e, plan, set)
	b.approved, b.reported = approved, func() { push.Reported(ctx) }
	return b.run(ctx)
}

// check makes sure, once, that the program is there and can be used.
func (e *Engine) check(ctx context.Context) error {
	if e.checked {
		return nil
	}
	err := e.node.Check(ctx)
	if ctx.Err() != nil {
		return nil // the push finds that out
	}
	if err != nil {
		return err
	}
	e.checked = true
	return nil
}

// prepare returns what a run is started with, but for its directory.
func (e *Engine) prepare(m mode) (process.Spec, error) {
	s, err := e.node.Spec(e.arguments(m))
	s.Held = heldRules(m.exclude)
	return s, err
}
