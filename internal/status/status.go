// Package status holds what the daemon reports about itself: the value behind
// `inosyncd status`, /status.json and the web page. It is built on request and shares
// nothing with its origin: any goroutine may keep and read it, and there is nothing
// to close.
package status

import "time"

// State is how a node stands.
type State string

// The states of a node.
const (
	Pending State = "PENDING" // not yet synced
	Syncing State = "SYNCING" // a push is running
	Success State = "SUCCESS" // the last push went well
	Failed  State = "FAILED"  // what failed is tried again by itself
	Held    State = "HELD"    // waiting for a person or for the source
)

// Status is the whole daemon.
type Status struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Mirrors []Mirror  `json:"mirrors"`
}

// Mirror is one watched tree and its nodes.
type Mirror struct {
	Name    string `json:"name"`
	WPath   string `json:"wpath"`
	Watches int    `json:"watches"`
	Held    *Hold  `json:"held"` // the whole mirror, as its source is gone
	Nodes   []Node `json:"nodes"`
}

// Hold is why nothing is pushed, and what a person can do about it.
type Hold struct {
	Reason string `json:"reason"`
	Cure   string `json:"cure"` // may be empty
}

// Node is one copy of a mirror's tree.
type Node struct {
	Node       string  `json:"node"`
	State      State   `json:"state"`
	InSync     bool    `json:"in_sync"`
	Pending    int     `json:"pending"`     // entries that the node has not confirmed
	LagSeconds float64 `json:"lag_seconds"` // age of the oldest of them

	LastSuccess  *time.Time `json:"last_success"`
	LastFullSync *time.Time `json:"last_full_sync"`
	LastVerified *time.Time `json:"last_verified"`
	LastError    *string    `json:"last_error"`   // null again once it is overcome
	LastFailure  *time.Time `json:"last_failure"` // when a push last failed
	Cure         *string    `json:"cure"`         // what a person can do about LastError; null: nothing is known
	NextTry      *time.Time `json:"next_try"`
	Held         *Hold      `json:"held"` // set when State is Held

	Pushes    uint64 `json:"pushes"` // pushes that came to an end, well or not
	Failures  uint64 `json:"failures"`
	BytesSent int64  `json:"bytes_sent"`
	Deleted   int64  `json:"deleted"`

	Drift    *Drift `json:"drift"`    // that the last scheduled full sync has repaired; null: none
	Repaired uint64 `json:"repaired"` // entries, by all of them

	// Verification is the last that was asked of the daemon; nil: none was.
	Verification *Verification `json:"verification,omitempty"`

	// Since is when the oldest change that the node has not confirmed was
	// noticed; zero when there is none.
	Since time.Time `json:"-"`

	// Disabled says that the node is configured, and not run.
	Disabled bool `json:"disabled,omitempty"`

	// Pretended says that the daemon sends nothing: it was started with -p.
	Pretended bool `json:"pretended,omitempty"`

	// Synced says that a comparison of the whole tree has succeeded.
	Synced bool `json:"-"`
}

// Drift is how many entries of a node were not as the source's though no change
// was pending for them. A change that came while they were compared can be
// among them, where there were very many.
type Drift struct {
	At         time.Time `json:"at"` // when they were equal again
	Created    int       `json:"created"`
	Updated    int       `json:"updated"`
	Attributes int       `json:"attributes"`
	Deleted    int       `json:"deleted"`
}

// Len is the number of entries.
func (d *Drift) Len() int { return d.Created + d.Updated + d.Attributes + d.Deleted }

// Account completes a node with what is still on its way to it: pending
// entries, the oldest noticed at since. covered says that nothing can have
// gone unnoticed: the tree is watched without a gap. It sets InSync and
// LagSeconds.
func (n *Node) Account(pending int, since time.Time, covered bool, now time.Time) {
	n.Pending += pending
	if n.Since.IsZero() || !since.IsZero() && since.Before(n.Since) {
		n.Since = since
	}
	n.LagSeconds = 0
	if !n.Since.IsZero() {
		n.LagSeconds = max(0, now.Sub(n.Since).Seconds())
	}
	n.InSync = n.Synced && covered && n.Pending == 0
}

// At is a time as the status prints it, RFC 3339 in UTC to the millisecond;
// nil, which is null, for the zero time.
func At(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}
