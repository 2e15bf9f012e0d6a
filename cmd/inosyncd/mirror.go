package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"

	"inosyncd/config"
	"inosyncd/debounce"
	"inosyncd/fanout"
	"inosyncd/internal/fault"
	"inosyncd/internal/source"
	"inosyncd/watcher"
)

// rewatchDelay is the pause before a watcher that could not be started is
// started again, so that a cause that lasts does not spin.
const rewatchDelay = 5 * time.Second

// mirror is one watched tree with its stages. Its goroutine owns the watcher;
// the queue and the nodes live as long as the mirror, so that what is pending
// outlives a source that goes and comes back.
type mirror struct {
	cfg   config.Mirror
	log   *slog.Logger
	root  *source.Root
	queue *debounce.Loop
	nodes *fanout.Fanout
	seen  watching // for those who ask

	heldFor string // why it is held, as it was logged; run's own

	ready  chan struct{}      // closed when it watches, or waits for its source
	cancel context.CancelFunc // ends the goroutine of run
	done   chan struct{}      // closed when that has ended
}

// startMirror starts a mirror of root, which may be known from before: a source
// that was replaced is not to become the source by a reload.
func (s *supervisor) startMirror(ctx context.Context, cfg config.Mirror, root *source.Root) (*mirror, error) {
	nodes, err := s.startNodes(cfg, root)
	if err != nil {
		return nil, err
	}
	s.desk.pauseAgain(cfg.Name, nodes)
	m := &mirror{
		cfg:   cfg,
		log:   s.log.With("mirror", cfg.Name),
		root:  root,
		nodes: nodes,
		ready: make(chan struct{}),
		done:  make(chan struct{}),
	}
	m.queue = debounce.Start(debounce.Options{
		Mask:      cfg.Mask,
		Delay:     cfg.Edelay,
		OpenLimit: cfg.Eopen,
	}, nodes.Add)
	// Only stop ends a mirror, after its pending changes were pushed.
	ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(m.done)
		m.run(ctx)
	}()
	return m, nil
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
	check := m.root.Check
	if !m.root.Adopted() {
		check = m.root.Adopt
	}
	err := check()
	if err == nil {
		return nil
	}
	m.hold(err)
	ready()
	return watcher.Await(ctx, m.root)
}

// hold stops all pushes of the mirror until the next watch.
func (m *mirror) hold(err error) {
	cure := "inosyncd tries again by itself"
	switch {
	case !m.root.Adopted():
		cure = "it is mirrored as soon as it is there"
	case errors.Is(err, source.ErrGone):
		cure = "bring the same directory back, or restart inosyncd to take what is there now"
	}
	if m.heldFor != err.Error() {
		m.heldFor = err.Error()
		m.log.Error("mirror held: nothing is deleted anywhere", "err", err, "cure", cure)
	}
	m.seen.hold(err.Error(), cure)
	m.nodes.Hold(err.Error(), cure)
}

// watch watches the source until it is gone or ctx is done. Every watch begins
// with a full comparison, behind the watches, so nothing that changed before
// they were set is missed.
func (m *mirror) watch(ctx context.Context, ready func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := watcher.Start(ctx, m.cfg.Watcher, watcher.Options{
		Root:      m.root,
		Rules:     m.cfg.Rules,
		Mask:      m.cfg.Mask,
		Recursive: m.cfg.Recursive,
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
	m.log.Info("mirror watched", "wpath", m.cfg.WPath, "watches", w.Stats().Watches)
	ready()
	gone := watcher.Guard(ctx, m.root)
	for {
		full, stop := m.nextFullSync()
		select {
		case <-full:
			m.queue.Resync(m.nodes.Add)
		case <-w.Done():
			stop()
			return w.Err()
		case <-gone:
			stop()
			return m.astray()
		case <-ctx.Done():
			stop()
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

// nextFullSync is a timer for the next time of the schedule; none never fires.
func (m *mirror) nextFullSync() (<-chan time.Time, func() bool) {
	if m.cfg.Schedule == "" {
		return nil, func() bool { return true }
	}
	schedule, err := cron.ParseStandard(m.cfg.Schedule)
	if err != nil { // checked when the configuration was read
		return nil, func() bool { return true }
	}
	now := time.Now()
	t := time.NewTimer(schedule.Next(now).Sub(now))
	return t.C, t.Stop
}

// stop ends the mirror. What is pending is pushed until ctx is done; the rest
// is left for the full sync of the next start.
func (m *mirror) stop(ctx context.Context) {
	m.cancel()
	<-m.done
	fault.Point("mirror: stop")
	m.queue.Flush()
	m.queue.Close()
	fault.Point("mirror: queue handed on")
	if !m.nodes.Drain(ctx) {
		m.log.Warn("stopped with changes pending: the full sync of the next start has them")
	}
	if err := m.nodes.Close(); err != nil {
		m.log.Warn("closing a node failed", "err", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
