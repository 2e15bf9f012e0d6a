package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"inosyncd/internal/control"
)

// waitTick is how often a wait looks again. A look takes microseconds, and delays
// neither the queue nor the nodes.
const waitTick = 10 * time.Millisecond

// wait is what somebody waits for.
type wait struct {
	places []place // nil: all mirrors

	// since is, for each mirror, a time at which everything that counts was
	// pending. What is noticed after it need not be waited for.
	since map[*mirror]time.Time
}

// Wait implements control.Daemon. A mirror whose source is held, or a node that
// cannot be reached, is waited for as well; what is only pretended never comes.
func (d *desk) Wait(ctx context.Context, path string) error {
	if d.pretend {
		return errPretending
	}
	w := wait{since: map[*mirror]time.Time{}}
	if path != "" {
		var err error
		if w.places, err = d.awaited(path); err != nil {
			return err
		}
	}
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for {
		done, err := d.reached(ctx, &w)
		if done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaited are the places of path that will be on the nodes some time.
func (d *desk) awaited(path string) ([]place, error) {
	cfg, _ := d.view()
	places := locate(cfg, path)
	if len(places) == 0 {
		return nil, &control.UsageError{Msg: fmt.Sprintf("%q lies in no mirror's wpath", path)}
	}
	why := ""
	places = slices.DeleteFunc(places, func(p place) bool {
		e := p.judge()
		if !e.Mirrored {
			why = e.Reason
			if e.Rule != nil {
				why += " by " + ruleText(e.Rule)
			}
		}
		return !e.Mirrored
	})
	if len(places) == 0 {
		return nil, fmt.Errorf("%q is not mirrored: %s", path, why)
	}
	return places, nil
}

// reached checks every mirror that w concerns.
func (d *desk) reached(ctx context.Context, w *wait) (bool, error) {
	cfg, running := d.view()
	if running == nil {
		return false, ctx.Err() // the daemon is just starting
	}
	all := true
	for _, mc := range cfg.Mirrors {
		path, ok := w.about(mc.Name)
		if !ok || !mc.Enabled {
			continue
		}
		m := running[mc.Name]
		if m == nil {
			return false, fmt.Errorf("waiting for the mirror %q: %w", mc.Name, errNotRunning)
		}
		since, ok := w.begin(ctx, m, path)
		all = ok && m.confirmed(path, since) && all
	}
	return all, ctx.Err()
}

// about is the path that w waits for in a mirror, if any.
func (w *wait) about(mirror string) (path string, ok bool) {
	if w.places == nil {
		return "", true
	}
	i := slices.IndexFunc(w.places, func(p place) bool { return p.mirror.Name == mirror })
	if i < 0 {
		return "", false
	}
	return w.places[i].path, true
}

// begin returns m's time in since, once there is one. A mirror that is started
// anew meanwhile gets a new one: it begins with a full sync.
func (w *wait) begin(ctx context.Context, m *mirror, path string) (since time.Time, ok bool) {
	if since, ok = w.since[m]; ok {
		return since, true
	}
	if m.catchUp(ctx, path) != nil {
		return time.Time{}, false // not watched now; later
	}
	w.since[m] = time.Now()
	return w.since[m], true
}

// confirmed reports whether everything at path or below it that was noticed
// until since is on every node. The queue is asked before the nodes: what has
// left it meanwhile has arrived there.
func (m *mirror) confirmed(path string, since time.Time) bool {
	if !after(m.queue.Since(), since) && m.queue.Touches(path) {
		return false
	}
	for _, n := range m.nodes.Snapshot() {
		if !after(n.Since, since) && slices.Contains(m.nodes.Touching(path), n.Node) {
			return false
		}
	}
	return true
}

// after reports whether the oldest of what is pending was noticed after t; the
// zero time says that nothing is.
func after(oldest, t time.Time) bool { return oldest.IsZero() || oldest.After(t) }
