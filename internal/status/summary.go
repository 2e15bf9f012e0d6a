package status

import (
	"fmt"
	"time"
)

// Tally is how many nodes there are of a kind. Those that are disabled are not
// among them.
type Tally struct {
	All, InSync  int
	Failed, Held int // of those that are not in sync
}

// Tally counts the nodes.
func (s Status) Tally() Tally {
	var t Tally
	for n := range s.enabled {
		t.All++
		switch {
		case n.InSync:
			t.InSync++
		case n.State == Failed:
			t.Failed++
		case n.State == Held:
			t.Held++
		}
	}
	return t
}

func (t Tally) String() string { return fmt.Sprintf("%d of %d nodes in sync", t.InSync, t.All) }

// enabled are the nodes that are to be served.
func (s Status) enabled(yield func(*Node) bool) {
	for _, m := range s.Mirrors {
		for k := range m.Nodes {
			if n := &m.Nodes[k]; !n.Disabled && !yield(n) {
				return
			}
		}
	}
}

// Summary is the whole of it in one line: how many nodes are in sync and, of
// the one that needs somebody most, how far it is behind, why, and what to do.
// Names and errors are in it as they are: who shows it escapes it.
func (s Status) Summary() string {
	var worst *Node
	for n := range s.enabled {
		if !n.InSync && (worst == nil || n.worse(worst)) {
			worst = n
		}
	}
	tally := s.Tally()
	line := tally.String()
	if worst == nil {
		return line
	}
	line += "; " + worst.Node + " is " + worst.behind()
	reason, cure := worst.Trouble()
	line += ": " + reason
	if cure != "" {
		line += "; " + cure
	}
	if more := tally.All - tally.InSync - 1; more > 0 {
		line += fmt.Sprintf("; and %d more", more)
	}
	return line
}

// worse reports whether n needs somebody more than o does: trouble comes before
// what passes by itself, then the longer lag counts.
func (n *Node) worse(o *Node) bool {
	if n.troubled() != o.troubled() {
		return n.troubled()
	}
	return n.LagSeconds > o.LagSeconds
}

func (n *Node) troubled() bool { return n.Held != nil || n.LastError != nil }

// behind says how far a node that is not in sync is behind.
func (n *Node) behind() string {
	if n.LagSeconds == 0 {
		return "not in sync"
	}
	return Lag(n.LagSeconds) + " behind"
}

// Trouble is why a node is held or not in sync, and what a person can do about
// it; both are empty for any other node, the cure also where none is known or
// needed. A node that is paused can be held and in sync.
func (n *Node) Trouble() (reason, cure string) {
	switch {
	case n.Held != nil:
		return n.Held.Reason, n.Held.Cure
	case n.InSync:
		return "", ""
	case n.LastError != nil && n.Cure != nil:
		return *n.LastError, *n.Cure
	case n.LastError != nil:
		return *n.LastError, ""
	case n.Pretended:
		return "nothing is sent, as the daemon was started with -p", "start it without"
	case n.State == Pending:
		return "not synced yet", ""
	case n.State == Syncing:
		return "a push is running", ""
	case n.Pending > 0:
		return "changes wait for their push", ""
	}
	return "not all of the source is watched", ""
}

// Lag is an age in seconds as people read it, as precise as one needs it.
func Lag(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
