package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"inosyncd/config"
	"inosyncd/fanout"
	"inosyncd/internal/change"
	"inosyncd/internal/control"
	"inosyncd/internal/nodelog"
	"inosyncd/internal/status"
)

// desk is where people are answered while the daemon runs: it implements
// control.Daemon. It knows what the supervisor has published last, so nobody
// waits while a configuration is being applied.
type desk struct {
	base    status.Status  // without mirrors; not changed
	level   *slog.LevelVar // of the log
	pretend bool           // rsync is not to be called

	mu      sync.Mutex
	cfg     *config.Config     // guarded by mu; nil before the first
	running map[string]*mirror // guarded by mu; by name; replaced, never changed; nil until they are started

	// paused are the nodes that were paused: one that comes back with another
	// configuration is left alone as well.
	paused map[control.Node]bool // guarded by mu

	verifier verifier
	lines    *nodelog.Book // what the log says of each node; not replaced
}

func newSupervisor(a *app) *supervisor {
	v, _ := programVersion()
	s := &supervisor{app: a, desk: desk{pretend: a.pretend, base: status.Status{
		Version: v, PID: os.Getpid(), Started: *status.At(time.Now()),
	}}}
	s.desk.level = &s.level
	return s
}

// Verified implements control.Daemon.
func (d *desk) Verified(n control.Node) error {
	_, running := d.view()
	if m := running[n.Mirror]; m == nil || !m.nodes.Verified(n.Node) {
		return &control.UsageError{Msg: fmt.Sprintf("no node %q of a mirror %q is running", n.Node, n.Mirror)}
	}
	return nil
}

// LogLevel implements control.Daemon.
func (d *desk) LogLevel() *slog.LevelVar { return d.level }

// expect says what is to run. Who asks before it does is told so: without a
// mirror in the answer it would look as if nothing were left to be done.
func (d *desk) expect(cfg *config.Config) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cfg = cfg
}

// publish says what runs from now on.
func (d *desk) publish(cfg *config.Config, running []*mirror) {
	byName := map[string]*mirror{}
	for _, m := range running {
		byName[m.cfg.Name] = m
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cfg, d.running = cfg, byName
	d.verifier.keep(func(n control.Node) bool {
		_, nc := configured(cfg, n)
		return nc != nil
	})
}

// view is what was published last; the configuration is never nil. A mirror
// that does not run is not in the map, which is nil while they are being started.
func (d *desk) view() (*config.Config, map[string]*mirror) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cfg == nil {
		return &config.Config{}, nil
	}
	return d.cfg, d.running
}

// pauseAgain pauses the nodes of a mirror that a person has paused, before
// anything is pushed to them.
func (d *desk) pauseAgain(mirror string, nodes *fanout.Fanout) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range d.paused {
		if n.Mirror == mirror {
			nodes.Pause(n.Node)
		}
	}
}

// Order implements control.Daemon.
func (d *desk) Order(o control.Order, names []string) ([]control.Node, error) {
	cfg, running := d.view()
	chosen, err := chooseNodes(cfg, names)
	if err != nil {
		return nil, &control.UsageError{Msg: err.Error()}
	}
	if running == nil {
		return nil, errStarting
	}
	var done []control.Node
	var errs []error
	for i, mc := range cfg.Mirrors {
		m := running[mc.Name]
		for k, nc := range mc.Nodes {
			if !chosen[[2]int{i, k}] {
				continue
			}
			n := control.Node{Mirror: mc.Name, Node: nc.Name}
			if err := d.order(o, m, n); err != nil {
				errs = append(errs, fmt.Errorf("%s %s: %w", n.Mirror, n.Node, err))
				continue
			}
			done = append(done, n)
		}
	}
	if o == control.Approve && len(done) > 0 {
		return done, nil // the name stands for others too, which hold nothing
	}
	return done, errors.Join(errs...)
}

var (
	errNotRunning = errors.New("the mirror could not be started; the log says why")
	errStarting   = errors.New("the daemon is just starting; try again")
)

// order does something to a node of m, which is nil when it does not run.
func (d *desk) order(o control.Order, m *mirror, n control.Node) error {
	switch {
	case m == nil:
		return errNotRunning
	case o == control.Pause:
		d.note(n, true)
		m.nodes.Pause(n.Node)
	case o == control.Resume:
		d.note(n, false)
		m.nodes.Unpause(n.Node)
	case o == control.Resync:
		m.queue.Resync(func(all *change.Set) { m.nodes.AddNode(n.Node, d.verifier.withContent(n, all)) })
		m.nodes.Kick(n.Node)
	case o == control.Approve:
		return approve(m.nodes, n.Node)
	case o == control.Verify:
		return d.verify(m, n)
	}
	return nil
}

func (d *desk) note(n control.Node, paused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paused == nil {
		d.paused = map[control.Node]bool{}
	}
	if paused {
		d.paused[n] = true
	} else {
		delete(d.paused, n)
	}
}

// approve releases what a node holds back. One that is being tried again may
// hold it still.
func approve(nodes *fanout.Fanout, name string) error {
	if nodes.Approve(name) {
		return nil
	}
	state := "unknown"
	for _, n := range nodes.Snapshot() {
		if n.Node == name {
			state = string(n.State)
			if n.Held != nil {
				state += ", " + n.Held.Reason
			}
		}
	}
	return fmt.Errorf("nothing is held: its state is %s", state)
}

// Status implements control.Daemon.
func (d *desk) Status() status.Status {
	cfg, running := d.view()
	s := d.base
	s.Mirrors = make([]status.Mirror, 0, len(cfg.Mirrors))
	for _, mc := range cfg.Mirrors {
		ms := mirrorStatus(mc, running[mc.Name], running == nil)
		d.verifier.complete(&ms)
		for i := range ms.Nodes {
			ms.Nodes[i].Pretended = d.pretend
		}
		s.Mirrors = append(s.Mirrors, ms)
	}
	return s
}
