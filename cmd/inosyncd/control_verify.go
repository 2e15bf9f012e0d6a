package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"inosyncd/config"
	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/internal/control"
)

var errPretending = errors.New("the daemon was started with -p and calls no rsync")

// verify begins to compare a node of m with the source by content.
func (d *desk) verify(m *mirror, n control.Node) error {
	if d.pretend {
		return errPretending
	}
	cfg, _ := d.view()
	mc, nc := configured(cfg, n)
	if nc == nil {
		return errNotRunning
	}
	s := subject{
		log: m.log.With("node", n.Node),
		pending: func(path string) bool {
			return m.queue.Covers(path) || slices.Contains(m.nodes.Covering(path), n.Node)
		},
		equal: func() { m.nodes.Verified(n.Node) },
	}
	s.compare = func(ctx context.Context, found func(rsync.Difference)) (string, error) {
		sockets, err := makeSocketDir()
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(sockets)
		o, err := engineOptions(*mc, *nc, m.root, newLimits(cfg), sockets)
		if err != nil {
			return "", fmt.Errorf("preparing the node %q: %w", n.Node, err)
		}
		o.Log = s.log
		return compareByContent(ctx, o, found)
	}
	return d.verifier.start(n, s)
}

// compareByContent compares with an engine of its own, so pushes to the node go
// on meanwhile, and over a connection of its own.
func compareByContent(ctx context.Context, o node.Options, found func(rsync.Difference)) (cure string, err error) {
	engine, err := rsync.New(o)
	if err != nil {
		return "", fmt.Errorf("preparing the node: %w", err)
	}
	cure, err = engine.Verify(ctx, found)
	if e := engine.Close(); e != nil {
		o.Log.Debug("closing the engine failed", "err", e)
	}
	return cure, err
}

// configured is the enabled node of that name with its mirror; nil when there is
// none.
func configured(cfg *config.Config, n control.Node) (*config.Mirror, *config.Node) {
	i := indexMirror(cfg, n.Mirror)
	if i < 0 {
		return nil, nil
	}
	m := &cfg.Mirrors[i]
	k := slices.IndexFunc(m.Nodes, func(nc config.Node) bool { return nc.Enabled && nc.Name == n.Node })
	if k < 0 {
		return nil, nil
	}
	return m, &m.Nodes[k]
}
