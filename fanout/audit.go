package fanout

import (
	"cmp"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// driftNames is how many paths the line about drift names.
const driftNames = 5

// audit is a comparison of the whole tree that tells drift from changes. It lasts
// until the comparison has succeeded, over as many retries as that takes.
type audit struct {
	known *change.Set  // what explains a difference: pending at its start, or added since
	found status.Drift // so far
	again bool         // another one is to follow at once
}

// explain records changes, which are no drift.
func (a *audit) explain(set *change.Set) {
	if a != nil {
		a.known.Merge(set)
	}
}

// startAudit adds set for an audit. It joins one that still waits, and follows one
// that runs.
func (n *node) startAudit(set *change.Set) {
	n.change(func() {
		switch {
		case n.audit == nil:
			n.audit = &audit{known: change.New(n.o.Limit)}
			for s := range n.backlog.sets {
				n.audit.known.Merge(s)
			}
		case n.backlog.sent != nil && n.backlog.sent.IsFull():
			n.audit.again = true
		}
		n.backlog.add(set)
	})
}

// drifted is the part of found, which a push has made equal, that no change
// explains; n.mu is held.
func (n *node) drifted(found *push.Found, now time.Time) push.Found {
	if n.audit == nil || found == nil || n.audit.known.IsFull() {
		return push.Found{}
	}
	left := found.Without(n.audit.known.Touches)
	n.repaired += uint64(left.Len())
	d := &n.audit.found
	d.At = *status.At(now)
	d.Created += left.Count[push.Created]
	d.Updated += left.Count[push.Updated]
	d.Attributes += left.Count[push.Attributes]
	d.Deleted += left.Count[push.Deleted]
	return left
}

// endAudit ends an audit whose comparison has succeeded; n.mu is held.
func (n *node) endAudit() {
	if n.audit == nil {
		return
	}
	n.drift = nil
	if n.audit.found.Len() > 0 {
		n.drift = new(n.audit.found)
	}
	if n.audit.again {
		n.audit = &audit{known: n.audit.known}
	} else {
		n.audit = nil
	}
}

func (n *node) reportDrift(d push.Found) {
	paths := make([]string, 0, driftNames)
	for _, found := range d.Names[:min(driftNames, len(d.Names))] {
		paths = append(paths, cmp.Or(found.Path, "."))
	}
	n.log.Warn("drift repaired", "created", d.Count[push.Created], "updated", d.Count[push.Updated],
		"attributes", d.Count[push.Attributes], "deleted", d.Count[push.Deleted], "list", paths)
}
