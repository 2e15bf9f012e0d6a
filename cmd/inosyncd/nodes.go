package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"inosyncd/config"
	"inosyncd/delta"
	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/fanout"
	"inosyncd/internal/source"
)

// limits are what all mirrors share.
type limits struct {
	parallel int           // max_parallel
	slots    *fanout.Slots // a push holds one of so many
	share    int64         // bytes/s that each of them may use; 0 is no limit
	armed    chan struct{} // an rsync that waits for its push holds one: max_armed
}

// newLimits divides rspeed_total evenly among the pushes that can run at once.
// rsync takes its limit when it starts and keeps it, so a share can not grow
// while others rest; in return their sum is never more than the whole.
func newLimits(cfg *config.Config) *limits {
	l := &limits{parallel: cfg.MaxParallel, slots: fanout.NewSlots(cfg.MaxParallel, cfg.MaxArmed)}
	if cfg.MaxArmed > 0 {
		l.armed = make(chan struct{}, cfg.MaxArmed)
	}
	nodes := 0
	for _, m := range cfg.Mirrors {
		for _, n := range m.Nodes {
			if m.Enabled && n.Enabled {
				nodes++
			}
		}
	}
	if cfg.RspeedTotal > 0 {
		l.share = max(1, cfg.RspeedTotal/int64(max(1, min(nodes, cfg.MaxParallel))))
	}
	return l
}

func (l *limits) equal(o *limits) bool {
	return o != nil && l.parallel == o.parallel && l.share == o.share && cap(l.armed) == cap(o.armed)
}

// bandwidth is the lower of the node's own limit and its share of the whole.
func (l *limits) bandwidth(rspeed int64) int64 {
	if l.share == 0 || rspeed == 0 {
		return cmp.Or(rspeed, l.share)
	}
	return min(rspeed, l.share)
}

// nodesOf is what the nodes of m are to be served by when cfg holds. A node that
// is the same in m.cfg gets no target, and goes on as it is, unless all are to be
// made anew. compare are those that m does not have yet, or whose copy would have
// been another: only a comparison shows what is to be done there.
func (s *supervisor) nodesOf(m *mirror, cfg config.Mirror, anew bool) (o fanout.Options, compare []string, err error) {
	o = fanout.Options{Slots: s.limits.slots, Log: m.log}
	for _, n := range cfg.Nodes {
		if !n.Enabled {
			continue
		}
		no := fanout.NodeOptions{
			Name:     n.Name,
			Place:    s.place(n.Name),
			Rate:     n.PushRate,
			Burst:    n.PushBurst,
			RetryMin: n.RetryMin,
			RetryMax: n.RetryMax,
		}
		was, runs := m.runs(n.Name)
		other := !runs || !was.SameCopy(n) || m.cfg.Rsync != cfg.Rsync
		if other {
			compare = append(compare, n.Name)
		}
		if anew || other || !was.Equal(n) || m.limits != s.limits {
			if no.Target, err = s.target(m, cfg, n); err != nil {
				return o, nil, errors.Join(fmt.Errorf("preparing the node %q: %w", n.Name, err), closeTargets(o.Nodes))
			}
		}
		o.Nodes = append(o.Nodes, no)
	}
	return o, compare, nil
}

// runs returns the node of that name if it is served. One that is configured is
// not always: a reload that failed may have got as far as leaving it.
func (m *mirror) runs(name string) (config.Node, bool) {
	i := slices.IndexFunc(m.cfg.Nodes, func(n config.Node) bool { return n.Enabled && n.Name == name })
	if i < 0 || m.nodes == nil || !m.nodes.Has(name) {
		return config.Node{}, false
	}
	return m.cfg.Nodes[i], true
}

func closeTargets(nodes []fanout.NodeOptions) error {
	var errs []error
	for _, n := range nodes {
		if n.Target != nil {
			errs = append(errs, n.Target.Close())
		}
	}
	return errors.Join(errs...)
}

// place is held by whoever pushes to the node of that name: when a node leaves a
// mirror, what is still running there ends before anybody else begins.
func (s *supervisor) place(node string) chan struct{} {
	if s.places == nil {
		s.places = map[string]chan struct{}{}
	}
	if s.places[node] == nil {
		s.places[node] = make(chan struct{}, 1)
	}
	return s.places[node]
}

func (s *supervisor) target(m *mirror, cfg config.Mirror, n config.Node) (fanout.Target, error) {
	log := m.log.With("node", n.Name)
	if s.app.pretend {
		return delta.Pretend{Source: m.root, Rules: cfg.Rules, Recursive: cfg.Recursive, Log: log}, nil
	}
	o, err := engineOptions(cfg, n, m.root, s.limits, s.sockets)
	if err != nil {
		return nil, err
	}
	o.Armed = s.limits.armed
	o.Log = log
	return rsync.New(o)
}

// engineOptions is what the configuration says of a node's engine.
func engineOptions(m config.Mirror, n config.Node, root *source.Root, l *limits, sockets string) (node.Options, error) {
	sockets, err := socketDirOf(sockets, n.User)
	if err != nil {
		return node.Options{}, err
	}
	return node.Options{
		Program:      m.Rsync,
		Source:       root,
		Rules:        m.Rules,
		Recursive:    m.Recursive,
		Address:      n.Address,
		Delete:       n.Delete,
		MaxDelete:    n.MaxDelete,
		Archive:      n.Archive,
		Times:        n.Times,
		Perms:        n.Perms,
		Owner:        n.Owner,
		Group:        n.Group,
		Xattrs:       n.Xattrs,
		ACLs:         n.ACLs,
		HardLinks:    n.HardLinks,
		Sparse:       n.Sparse,
		Compress:     n.Compress,
		Checksum:     n.Checksum,
		DelayUpdates: n.DelayUpdates,
		Partial:      n.Partial,
		Timeout:      n.Timeout,
		Bandwidth:    l.bandwidth(n.Rspeed),
		Args:         n.RsyncArgs,
		PasswordFile: n.PasswordFile,
		User:         n.User,
		SSH: node.SSHOptions{
			Port:         n.SSH.Port,
			User:         n.SSH.User,
			IdentityFile: n.SSH.IdentityFile,
			KnownHosts:   n.SSH.KnownHosts,
			Options:      n.SSH.Options,
			Command:      n.SSH.Command,
		},
		SocketDir: sockets,
	}, nil
}
