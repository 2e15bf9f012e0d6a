package main

import (
	"cmp"
	"errors"
	"fmt"

	"inosyncd/config"
	"inosyncd/delta"
	"inosyncd/delta/rsync"
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
	l := &limits{parallel: cfg.MaxParallel, slots: fanout.NewSlots(cfg.MaxParallel)}
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

// startNodes starts a worker for each enabled node of a mirror.
func (s *supervisor) startNodes(cfg config.Mirror, root *source.Root) (*fanout.Fanout, error) {
	o := fanout.Options{Mirror: cfg.Name, Slots: s.limits.slots, Log: s.log}
	for _, n := range cfg.Nodes {
		if !n.Enabled {
			continue
		}
		target, err := s.target(cfg, n, root)
		if err != nil {
			for _, started := range o.Nodes {
				err = errors.Join(err, started.Target.Close())
			}
			return nil, fmt.Errorf("preparing the node %q: %w", n.Name, err)
		}
		o.Nodes = append(o.Nodes, fanout.NodeOptions{
			Name:     n.Name,
			Target:   target,
			Rate:     n.PushRate,
			Burst:    n.PushBurst,
			RetryMin: n.RetryMin,
			RetryMax: n.RetryMax,
		})
	}
	return fanout.New(o), nil
}

func (s *supervisor) target(m config.Mirror, n config.Node, root *source.Root) (fanout.Target, error) {
	if s.app.pretend {
		return delta.Pretend{
			Source:    root,
			Rules:     m.Rules,
			Recursive: m.Recursive,
			Mirror:    m.Name,
			Node:      n.Name,
			Log:       s.log,
		}, nil
	}
	o, err := engineOptions(m, n, root, s.limits, s.sockets)
	if err != nil {
		return nil, err
	}
	o.Armed = s.limits.armed
	o.Log = s.log.With("mirror", m.Name, "node", n.Name)
	return rsync.New(o)
}

// engineOptions is what the configuration says of a node's engine.
func engineOptions(m config.Mirror, n config.Node, root *source.Root, l *limits, sockets string) (rsync.Options, error) {
	sockets, err := socketDirOf(sockets, n.User)
	if err != nil {
		return rsync.Options{}, err
	}
	return rsync.Options{
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
		SSH: rsync.SSHOptions{
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
