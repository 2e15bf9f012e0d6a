package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"syscall"

	"inosyncd/internal/control"
	"inosyncd/internal/nodelog"
	"inosyncd/internal/status"
	"inosyncd/internal/web"
)

// webDesk answers the web page: it implements web.Daemon.
type webDesk struct{ *desk }

// Ready returns which mirror is not watched yet, or which node has not come to
// the end of its first full sync. One that has failed is tried for ever, so a
// node that is down does not keep the others from being ready. With -p nothing
// ever is.
func (d webDesk) Ready() error {
	cfg, running := d.view()
	if running == nil {
		return errors.New("starting")
	}
	if d.pretend {
		return errPretending
	}
	for _, mc := range cfg.Mirrors {
		if !mc.Enabled {
			continue
		}
		m := running[mc.Name]
		if m == nil {
			return fmt.Errorf("mirror %s: %w", mc.Name, errNotRunning)
		}
		w, held := m.seen.get()
		if held != nil {
			return fmt.Errorf("mirror %s is held: %s", mc.Name, held.Reason)
		}
		if w == nil {
			return fmt.Errorf("mirror %s: %w", mc.Name, errNotWatched)
		}
		for _, n := range m.nodes.Snapshot() {
			if n.LastFullSync == nil && n.Failures == 0 && n.Held == nil {
				return fmt.Errorf("mirror %s: the first full sync of %s has not ended", mc.Name, n.Node)
			}
		}
	}
	return nil
}

// Runs implements web.Daemon.
func (d webDesk) Runs(n control.Node) bool { return d.named(n) == nil }

// Log implements web.Daemon.
func (d webDesk) Log(n control.Node) []nodelog.Line { return d.lines.Lines(n.Mirror, n.Node) }

// keepLines remembers what the log says of each node, for its page.
func (s *supervisor) keepLines() {
	s.desk.lines = nodelog.New()
	s.log = slog.New(s.desk.lines.Handler(s.log.Handler()))
}

// Orders implements web.Daemon.
func (d webDesk) Orders(m status.Mirror, n status.Node) []control.Order {
	name := control.Node{Mirror: m.Name, Node: n.Node}
	var all []control.Order
	switch {
	case d.isPaused(name):
		all = []control.Order{control.Resume}
	case m.Held != nil:
		return []control.Order{control.Pause}
	case n.State == status.Held:
		all = []control.Order{control.Resume, control.Pause, control.Resync}
		if _, running := d.view(); running[m.Name] != nil && running[m.Name].nodes.Holding(n.Node) {
			all = slices.Insert(all, 0, control.Approve)
		}
	case n.State == status.Failed, n.LastError != nil: // also while it is being tried again
		all = []control.Order{control.Resume, control.Pause, control.Resync}
	default:
		all = []control.Order{control.Pause, control.Resync}
	}
	if n.Verification != nil && n.Verification.Running {
		return all
	}
	return append(all, control.Verify)
}

// Order implements web.Daemon.
func (d webDesk) Order(o control.Order, n control.Node) error {
	if err := d.named(n); err != nil {
		return err
	}
	_, running := d.view()
	if running == nil {
		return errStarting
	}
	return d.order(o, running[n.Mirror], n)
}

// named returns nil when there is an enabled node of that name.
func (d webDesk) named(n control.Node) error {
	cfg, _ := d.view()
	if _, nc := configured(cfg, n); nc != nil {
		return nil
	}
	return &control.UsageError{Msg: fmt.Sprintf("mirror %q has no enabled node called %q", n.Mirror, n.Node)}
}

func (d *desk) isPaused(n control.Node) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.paused[n]
}

// openWeb listens where the configuration wants the web page.
func (s *supervisor) openWeb(address string) error {
	s.webAt = address
	if address == "" {
		return nil
	}
	if s.webToken == "" {
		token, err := readToken(tokenFile(s.app.configFile))
		if err != nil {
			return err
		}
		s.webToken = token
	}
	v, c := programVersion()
	page, err := web.Serve(address, s.webToken, webDesk{&s.desk}, web.Build{Version: v, Commit: c}, s.log)
	if err != nil {
		return err
	}
	s.web = page
	s.log.Info("web page served", "url", page.URL(), "token", s.webToken != "")
	s.warnOpen()
	return nil
}

// warnOpen warns about a page that anyone can read.
func (s *supervisor) warnOpen() {
	if s.web == nil || !s.web.Open() {
		return
	}
	s.log.Warn("web page open to read, without buttons: other machines reach it and it has no token; "+
		"put one into this file and reload", "path", tokenFile(s.app.configFile), "url", s.web.URL())
}

// renewToken has the page ask for the token that is in its file now. If there is
// none any more, it asks for the old one: what was closed is not opened to all by
// the moment in which a file is replaced.
func (s *supervisor) renewToken() {
	if s.web == nil {
		s.webToken = "" // is read when a page is opened
		return
	}
	file := tokenFile(s.app.configFile)
	token, err := readToken(file)
	switch {
	case err != nil:
		s.log.Error("keeping the login of the web page as it was", "err", err)
	case token == s.webToken:
	case token == "":
		s.log.Warn("keeping the old token of the web page although its file is gone; restart to do without one", "path", file)
	default:
		s.webToken = token
		s.web.SetToken(token)
		s.log.Info("web page asks for a new token", "path", file)
	}
}

// moveWeb listens where a new configuration wants the page. When that fails it
// stays where it is.
func (s *supervisor) moveWeb(address string) {
	s.renewToken()
	if address == s.webAt {
		s.warnOpen()
		return
	}
	was, wasAt := s.web, s.webAt
	s.web = nil
	err := s.openWeb(address)
	if errors.Is(err, syscall.EADDRINUSE) && was != nil {
		// The old one may be in the way: the same port of another address.
		s.closePage(was)
		was = nil
		if err = s.openWeb(address); err != nil {
			err = errors.Join(err, s.openWeb(wasAt))
			s.log.Error("keeping the old address of the web page", "err", err)
			return
		}
	}
	if err != nil {
		s.web, s.webAt = was, wasAt
		s.log.Error("keeping the old address of the web page", "err", err)
		return
	}
	s.closePage(was)
}

func (s *supervisor) closeWeb() { s.closePage(s.web) }

func (s *supervisor) closePage(page *web.Server) {
	if page == nil {
		return
	}
	if err := page.Close(); err != nil {
		s.log.Warn("closing the web page failed", "err", err)
	}
}
