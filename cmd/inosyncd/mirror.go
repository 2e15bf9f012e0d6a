package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"inosyncd/config"
	"inosyncd/debounce"
	"inosyncd/fanout"
	"inosyncd/internal/change"
	"inosyncd/internal/fault"
	"inosyncd/internal/source"
	"inosyncd/watcher"
)

// rewatchDelay is the pause before a watcher that could not be started is
// started again, so that a cause that lasts does not spin.
const rewatchDelay = 5 * time.Second

// lateWrites is how long the receivers that a killed daemon has left at nodes can take
// to write what they have been sent: then no more comes, and they end. What they
// write after the first full sync has looked at it is found by another.
const lateWrites = time.Minute

// mirror is one watched tree with its stages. Its goroutine owns the watcher;
// the queue lives as long as the mirror, so that what is pending outlives a
// source that goes and comes back. The nodes live even longer: a mirror that is
// watched in another way is a new one, and takes them over.
type mirror struct {
	cfg    config.Mirror // in force; the supervisor's own
	limits *limits       // in force; the supervisor's own
	log    *slog.Logger
	root   *source.Root
	queue  *debounce.Loop
	nodes  *fanout.Fanout
	seen   watching // for those who ask

	watched   config.Mirror // by its source side; the rest of it is not used
	heldFor   string        // why it is held, as it was logged; run's own
	again     time.Duration // from its first full sync to another; 0: none; run's own
	schedule  string        // run's own
	schedules chan string   // capacity 1: another schedule

	ready  chan struct{}      // closed when it watches, or waits for its source
	cancel context.CancelFunc // ends the goroutine of run
	done   chan struct{}      // closed when that has ended
}

// startMirror starts a mirror. One that was there before ends with it, and
// leaves it the nodes with all that they have not confirmed, and the root: a
// source that was replaced is not to become the source by a reload. If the new
// one cannot be started the old one goes on.
func (s *supervisor) startMirror(ctx context.Context, cfg config.Mirror, was *mirror) (*mirror, error) {
	m := &mirror{
		cfg: cfg, limits: s.limits, watched: cfg, schedule: cfg.Schedule,
		schedules: make(chan string, 1),
		ready:     make(chan struct{}),
		done:      make(chan struct{}),
	}
	if was != nil {
		m.log, m.root = was.log, was.root
	} else {
		m.log, m.root = s.log.With("mirror", cfg.Name), source.New(cfg.WPath)
	}
	if s.killed {
		m.again = lateWrites
	}
	nodes, _, err := s.nodesOf(m, cfg, true)
	if err != nil {
		return nil, err
	}
	if was != nil {
		was.unwatch()
		m.nodes = was.nodes
		m.nodes.Set(nodes)
	} else {
		m.nodes = fanout.New(nodes)
	}
	s.desk.pauseAgain(cfg.Name, m.nodes)
	m.queue = debounce.Start(debounce.Options{
		Mask:      cfg.Mask,
		Delay:     cfg.Edelay,
		OpenLimit: cfg.Eopen,
	}, m.nodes.Add)
	// Only stop ends a mirror, after its pending changes were pushed.
	ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(m.done)
		m.run(ctx)
	}()
	return m, nil
}

// changeMirror has a mirror go on with another configuration of the same source
// side. What a node gets anew, or what may not be on it as it should be, it is
// compared with; the others are not touched.
func (s *supervisor) changeMirror(m *mirror, cfg config.Mirror) error {
	nodes, compare, err := s.nodesOf(m, cfg, false)
	if err != nil {
		return err
	}
	m.queue.Resync(func(all *change.Set) {
		m.nodes.Set(nodes)
		s.desk.pauseAgain(cfg.Name, m.nodes)
		for _, name := range compare {
			m.nodes.AddNode(name, all)
		}
	})
	for _, name := range compare {
		m.log.Info("node compared: it is new or configured in another way", "node", name)
	}
	if cfg.Schedule != m.cfg.Schedule {
		select {
		case <-m.schedules: // not looked at yet, and now out of date
		default:
		}
		m.schedules <- cfg.Schedule
	}
	m.cfg, m.limits = cfg, s.limits
	return nil
}

// run watches the source whenever it is there.
func (m *mirror) run(ctx context.Context) {
	ready := func() {
		select {
		case <-m.ready:
		default:
			close(m.ready)
		}
	}
	for ctx.Err() == nil {
		err := m.awaitSource(ctx, ready)
		if err == nil {
			err = m.watch(ctx, ready)
		}
		if ctx.Err() != nil {
			return
		}
		if gone := m.root.Check(); gone != nil && errors.Is(err, source.ErrGone) {
			err = gone // as awaitSource puts it, so that it is said once
		}
		m.hold(err)
		ready()
		if !errors.Is(err, source.ErrGone) {
			pause(ctx, rewatchDelay)
		}
	}
}

// awaitSource returns when the source is there: at the first time whatever
// directory wpath leads to, later the same one.
func (m *mirror) awaitSource(ctx context.Context, ready func()) error {
	return watcher.Await(ctx, m.root, func(err error) {
		m.hold(err)
		ready()
	})
}

// hold stops all pushes of the mirror until the next watch. The reason can
// become another one meanwhile.
func (m *mirror) hold(err error) {
	if m.heldFor == err.Error() {
		return
	}
	cure := "inosyncd tries again by itself"
	switch {
	case !m.root.Adopted():
		cure = "create or mount it: mirroring begins by itself"
	case errors.Is(err, source.ErrGone):
		cure = "bring the same directory back: mirroring goes on by itself; to mirror what is there now, restart inosyncd"
	}
	m.heldFor = err.Error()
	m.log.Error("mirror held: nothing is deleted anywhere", "err", err, "cure", cure)
	m.seen.hold(err.Error(), cure)
	m.nodes.Hold(err.Error(), cure)
}

// watch watches the source until it is gone or ctx is done. Every watch begins
// with a full sync, behind the watches, so nothing that changed before
// they were set is missed.
func (m *mirror) watch(ctx context.Context, ready func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := watcher.Start(ctx, m.watched.Watcher, watcher.Options{
		Root:      m.root,
		Rules:     m.watched.Rules,
		Mask:      m.watched.Mask,
		Recursive: m.watched.Recursive,
		Log:       m.log,
		Emit:      m.queue.Add,
	})
	if err != nil {
		return err
	}
	defer w.Close()
	fault.Point("mirror: watches set")
	m.heldFor = ""
	m.nodes.Resume()
	m.queue.Resync(m.nodes.Add)
	fault.Point("mirror: full sync queued")
	m.seen.begin(w)
	defer m.seen.end()
	m.log.Info("mirror watched", "wpath", m.watched.WPath, "watches", w.Stats().Watches)
	ready()
	gone := watcher.Guard(ctx, m.root)
	full := newSchedule(m.schedule, time.Now())
	defer func() { full.stop() }()
	var again <-chan time.Time
	if m.again > 0 {
		again = time.After(m.again)
	}
	for {
		select {
		case <-again:
			m.again = 0
			m.queue.Resync(m.nodes.Add)
		case <-full.look.C:
			if full.due(time.Now()) {
				m.queue.Flush() // what is pending is a change, and no drift
				m.queue.Resync(m.nodes.Audit)
			}
		case m.schedule = <-m.schedules:
			full.stop()
			full = newSchedule(m.schedule, time.Now())
		case <-w.Done():
			return w.Err()
		case <-gone:
			return m.astray()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// astray is why the source is not what it was. It may be back by now, but what
// was sent meanwhile is unknown: then it is watched anew.
func (m *mirror) astray() error {
	if err := m.root.Check(); err != nil {
		return err
	}
	return fmt.Errorf("%w: %q led elsewhere for a moment", source.ErrGone, m.root.Path())
}

// unwatch ends the goroutine of the mirror and hands to the nodes what they have
// not got yet.
func (m *mirror) unwatch() {
	m.cancel()
	<-m.done
	fault.Point("mirror: stop")
	m.queue.Flush()
	m.queue.Close()
	fault.Point("mirror: queue handed on")
}

// close ends the mirror at once.
func (m *mirror) close() {
	m.unwatch()
	m.nodes.Close()
}

// stop ends the mirror. What is pending is pushed until ctx is done; the rest
// is left for the full sync of the next start.
func (m *mirror) stop(ctx context.Context) {
	m.unwatch()
	if !m.nodes.Drain(ctx) {
		m.log.Warn("stopped with changes pending: the full sync of the next start finds them")
	}
	m.nodes.Close()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
