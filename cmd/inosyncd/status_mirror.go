package main

import (
	"time"

	"inosyncd/config"
	"inosyncd/internal/status"
)

// disabled is how what is configured and not run is shown.
var disabled = status.Hold{Reason: "disabled in the configuration", Cure: "set enabled: true and reload"}

// mirrorStatus is how a configured mirror stands. m is nil when it does not
// run, which says nothing of it while the daemon is starting.
func mirrorStatus(cfg config.Mirror, m *mirror, starting bool) status.Mirror {
	s := status.Mirror{Name: cfg.Name, WPath: cfg.WPath}
	var covered bool
	live := map[string]status.Node{}
	switch {
	case m != nil:
		s.Watches, s.Held, covered = m.seen.look()
		live = m.account(covered)
	case cfg.Enabled && starting:
	case cfg.Enabled:
		s.Held = &status.Hold{Reason: errNotRunning.Error(), Cure: "correct what the log says, then reload (HUP)"}
	default:
		s.Held = new(disabled)
	}
	s.Nodes = make([]status.Node, 0, len(cfg.Nodes))
	for _, nc := range cfg.Nodes {
		n, ok := live[nc.Name]
		switch {
		case ok:
		case !nc.Enabled || m != nil:
			n = status.Node{Node: nc.Name, State: status.Held, Held: new(disabled), Disabled: true}
		case s.Held == nil:
			n = status.Node{Node: nc.Name, State: status.Pending}
		default:
			n = status.Node{Node: nc.Name, State: status.Held, Held: new(*s.Held), Disabled: !cfg.Enabled}
		}
		s.Nodes = append(s.Nodes, n)
	}
	return s
}

// account is how the nodes of a mirror stand, with what is still on its way to
// them. The queue is asked before the nodes: what has left it meanwhile has
// arrived there.
func (m *mirror) account(covered bool) map[string]status.Node {
	pending, since := m.queue.Len()+m.queue.Held(), m.queue.Since()
	now := time.Now()
	nodes := map[string]status.Node{}
	for _, n := range m.nodes.Snapshot() {
		n.Account(pending, since, covered, now)
		nodes[n.Node] = n
	}
	return nodes
}
