// Package push holds what comes back from a push: the answer of an engine to
// the question whether a node now equals the source.
//
// # Ordering, blocking and shutdown
//
// All of it is values, each of one owner at a time, that start nothing and wait
// for nothing. Only [Reported] may be called while the push still runs, and from
// any goroutine.
package push

import (
	"time"

	"inosyncd/internal/change"
)

// Outcome is what a push came to, and so what is to be done next.
type Outcome int

const (
	// Done means that the node has everything but what is Left, which changed while
	// it was sent and goes around again without delay or blame.
	Done Outcome = iota

	// Partly means that what is Left could not be made equal, for the reason in Err;
	// the rest is done. It is tried again after the retry delay.
	Partly

	// Again means that the node could not be reached or broke off. All that is Left
	// (everything, when Left is nil) is tried again after the retry delay.
	Again

	// Hold means that no retry helps before a person or the source does something
	// about what is Left (everything, when Left is nil); the rest is done.
	Hold
)

func (o Outcome) String() string {
	return [...]string{"done", "partly", "again", "hold"}[o]
}

// Result is the answer to one push.
type Result struct {
	Outcome Outcome
	Left    *change.Set   // what is still to be done; nil: see Outcome
	Err     error         // why; nil when Done
	Cure    string        // what a person can do about Err; may be empty
	Paths   int           // entries that were named to the engine
	Bytes   int64         // bytes sent to the node
	Deleted int           // entries removed on the node
	Took    time.Duration // from the plan to the last confirmation

	// Found is what a comparison of the whole tree found different, but for
	// what changed at the source meanwhile; nil: none was made.
	Found *Found

	// Pretended says that nothing was sent: what is not Left would have been.
	Pretended bool

	// Verified says that the whole tree was compared by content.
	Verified bool
}
