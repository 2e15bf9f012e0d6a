package main

import (
	"context"
	"slices"
	"sync"

	"inosyncd/config"
	"inosyncd/internal/fault"
)

// apply makes the running mirrors equal to cfg: at the start, when nothing runs, and
// at every reload. It waits for no node.
//
// It removes before it adds, so that a node which moves from one mirror to another
// gets no push from the old one after the new one has begun.
func (s *supervisor) apply(ctx context.Context, cfg *config.Config) {
	if lim := newLimits(cfg); !lim.equal(s.limits) {
		s.limits = lim
	}
	was, gone := match(s.running, cfg)
	for _, m := range gone {
		s.retire(m)
	}
	for i, mc := range cfg.Mirrors {
		if m := was[i]; m != nil {
			m.leaveNodes(mc)
		}
	}
	fault.Point("apply: old nodes left")
	s.running = nil
	for i, mc := range cfg.Mirrors {
		if !mc.Enabled {
			continue
		}
		m, err := s.bring(ctx, was[i], mc)
		switch {
		case m == nil:
			s.log.Error("mirror not started", "mirror", mc.Name, "err", err)
			continue
		case err != nil:
			s.log.Error("mirror not changed: it runs as before", "mirror", mc.Name, "err", err)
		}
		s.running = append(s.running, m)
	}
	fault.Point("apply: mirrors started")
	s.desk.publish(cfg, s.running)
}

// match finds the running mirror for each of cfg's, nil if there is none, and those
// that cfg no longer has. A mirror with another name or wpath is another mirror.
func match(running []*mirror, cfg *config.Config) (was, gone []*mirror) {
	was, gone = make([]*mirror, len(cfg.Mirrors)), slices.Clone(running)
	for i, mc := range cfg.Mirrors {
		k := slices.IndexFunc(gone, func(m *mirror) bool {
			return mc.Enabled && m.cfg.Name == mc.Name && m.cfg.WPath == mc.WPath
		})
		if k >= 0 {
			was[i] = gone[k]
			gone = slices.Delete(gone, k, k+1)
		}
	}
	return was, gone
}

// bring makes a mirror what cfg says. A new one (m is nil) is started; if the source
// side has changed, it gets a new watcher and keeps its nodes; otherwise only changed
// nodes are touched. On an error it returns m, which keeps running.
func (s *supervisor) bring(ctx context.Context, m *mirror, cfg config.Mirror) (*mirror, error) {
	if m == nil || !m.cfg.SameSource(cfg) {
		next, err := s.startMirror(ctx, cfg, m)
		if err != nil {
			return m, err
		}
		return next, nil
	}
	return m, s.changeMirror(m, cfg)
}

// retire ends a mirror that is no longer configured. Its nodes get nothing more from
// now on; only the stop of the daemon waits for their end.
func (s *supervisor) retire(m *mirror) {
	m.nodes.Keep(nil)
	m.cancel()
	s.retiring.Go(m.close)
	m.log.Info("mirror removed: its copies are left as they are")
}

// leaveNodes leaves the nodes that cfg does not have, or has disabled.
func (m *mirror) leaveNodes(cfg config.Mirror) {
	var kept []string
	for _, n := range cfg.Nodes {
		if n.Enabled {
			kept = append(kept, n.Name)
		}
	}
	m.nodes.Keep(kept)
	for _, n := range m.cfg.Nodes {
		if n.Enabled && !slices.Contains(kept, n.Name) {
			m.log.Info("node removed: its copy is left as it is", "node", n.Name)
		}
	}
}

// stop stops all mirrors at once and waits; together they have stopLimit for
// what is pending.
func (s *supervisor) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	var wg sync.WaitGroup
	for _, m := range s.running {
		wg.Go(func() { m.stop(ctx) })
	}
	wg.Wait()
	s.retiring.Wait()
}
