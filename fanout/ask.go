package fanout

import "time"

// Approver is a Target that can hold removals back until a person has approved
// them.
type Approver interface {
	// Approve lets the next push make what was held, and reports whether
	// anything was. It may be called at any time.
	Approve() bool

	// Holding reports whether Approve would let anything be made.
	Holding() bool
}

// Approve lets a node make the removals that it holds back, and has it try
// again at once. It reports whether there is a node of that name that holds
// any.
func (f *Fanout) Approve(name string) bool {
	approved := false
	f.with(name, func(n *node) {
		n.mu.Lock()
		a, can := n.o.Target.(Approver)
		held := n.held != nil
		n.mu.Unlock()
		if approved = can && held && a.Approve(); approved {
			n.kick()
		}
	})
	return approved
}

// Holding reports whether a node holds removals back for a person to approve.
func (f *Fanout) Holding(name string) bool {
	holding := false
	f.with(name, func(n *node) {
		n.mu.Lock()
		defer n.mu.Unlock()
		a, can := n.o.Target.(Approver)
		holding = can && n.held != nil && a.Holding()
	})
	return holding
}

// Touching are the names of the nodes that have not confirmed something that
// concerns path: it, a directory above it, or anything below it.
func (f *Fanout) Touching(path string) []string {
	var names []string
	for _, n := range f.all() {
		if n.touches(path) {
			names = append(names, n.name)
		}
	}
	return names
}

// LastPush is when a node last confirmed path other than by a comparison of the
// whole tree. Zero is not since the time that comes with it: what was confirmed
// before is forgotten.
func (f *Fanout) LastPush(name, path string) (at, since time.Time) {
	f.with(name, func(n *node) {
		n.mu.Lock()
		defer n.mu.Unlock()
		at, since = n.memory.last(path)
	})
	return at, since
}

func (n *node) touches(path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.backlog.sets {
		if s.Touches(path) {
			return true
		}
	}
	return false
}
