package main

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"inosyncd/config"
	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

func TestWebReady(t *testing.T) {
	if err := (webDesk{new(desk)}).Ready(); err == nil {
		t.Error("Ready() before anything runs: got nil, want an error")
	}
	d, m := waiting(t)
	page := webDesk{d}
	expect := func(when, want string) {
		t.Helper()
		got := ""
		if err := page.Ready(); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("Ready() %s: got %q, want %q", when, got, want)
		}
	}
	expect("without a watcher", "not watched")
	m.seen.begin(deaf{})
	expect("before the first full sync", "has not ended")
	m.nodes.Pause("n")
	expect("with a paused node", "")
	m.nodes.Unpause("n")
	m.queue.Resync(m.nodes.Add)
	if !m.nodes.Drain(t.Context()) {
		t.Fatal("Drain(): got false, want all confirmed")
	}
	expect("after it", "")
	d.pretend = true
	expect("with -p", "calls no rsync")
	d.pretend = false
	m.seen.hold("it is gone", "")
	expect("without the source", "mirror www is held: it is gone")
	d.publish(&config.Config{Mirrors: []config.Mirror{m.cfg}}, nil)
	expect("when it could not be started", "could not be started")
	m.cfg.Enabled = false
	d.publish(&config.Config{Mirrors: []config.Mirror{m.cfg}}, nil)
	expect("when it is disabled", "")
}

func TestWebOrders(t *testing.T) {
	d, m := waiting(t)
	m.seen.begin(deaf{})
	page := webDesk{d}
	n := control.Node{Mirror: "www", Node: "n"}
	offers := func(want ...control.Order) {
		t.Helper()
		s := page.Status().Mirrors[0]
		if got := page.Orders(s, s.Nodes[0]); !slices.Equal(got, want) {
			t.Errorf("Orders() of a node that is %s: got %q, want %q", s.Nodes[0].State, got, want)
		}
	}
	offers(control.Pause, control.Resync, control.Verify)
	if err := page.Order(control.Pause, n); err != nil {
		t.Errorf("Order(pause): %v", err)
	}
	offers(control.Resume, control.Verify)
	if err := page.Order(control.Resume, n); err != nil {
		t.Errorf("Order(resume): %v", err)
	}
	offers(control.Pause, control.Resync, control.Verify)
	if err := page.Order(control.Approve, n); err == nil {
		t.Error("Order(approve) with nothing held: got nil, want an error")
	}
	got := page.Orders(status.Mirror{Name: "www"}, status.Node{Node: "n", State: status.Held})
	if slices.Contains(got, control.Approve) || !slices.Contains(got, control.Resume) {
		t.Errorf("Orders() of a node that is HELD and has nothing to approve: got %q, want resume among them", got)
	}
	for _, other := range []control.Node{{Mirror: "www", Node: "x"}, {Mirror: "x", Node: "n"}, {Mirror: "www"}} {
		if err := page.Order(control.Pause, other); err == nil || page.Runs(other) {
			t.Errorf("Order(pause, %v): got %v, want that there is no such node", other, err)
		}
	}
}

// served reports whether the page answers.
func served(t *testing.T, address string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text) == "ok\n"
}

// listening takes a free port.
func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestMoveWeb(t *testing.T) {
	taken := listening(t)
	defer taken.Close()
	free := listening(t)
	at := free.Addr().String()
	_, port, _ := net.SplitHostPort(at)
	_ = free.Close()

	var log bytes.Buffer
	s := &supervisor{app: &app{configFile: t.TempDir() + "/inosync.yaml"}, log: slog.New(slog.NewTextHandler(&log, nil))}
	defer func() { s.closeWeb() }()
	if err := s.openWeb(taken.Addr().String()); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Fatalf("openWeb(%q): got %v, want an error that names it", taken.Addr(), err)
	}
	if err := s.openWeb(""); err != nil || s.web != nil {
		t.Fatalf(`openWeb(""): got %v and a page, want neither`, err)
	}
	for _, tt := range []struct {
		name, to string
		served   bool   // at the address at
		log      string // "": nothing of importance
	}{
		{"from nowhere", at, true, ""},
		{"to the same", at, true, ""},
		{"to one that is taken", taken.Addr().String(), true, "keeping the old address"},
		{"to one of another machine", "192.0.2.1:" + port, true, "keeping the old address"},
		{"to all addresses, on the same port", "0.0.0.0:" + port, true, "without buttons"},
		{"back", at, true, ""},
		{"to nowhere", "", false, ""},
	} {
		log.Reset()
		s.moveWeb(tt.to)
		if got := served(t, at); got != tt.served {
			t.Errorf("%s: moveWeb(%q): got served %v, want %v", tt.name, tt.to, got, tt.served)
		}
		if got := log.String(); !strings.Contains(got, tt.log) || tt.log == "" && strings.Contains(strings.ReplaceAll(got, "level=INFO", ""), "level=") {
			t.Errorf("%s: moveWeb(%q): logged %q, want %q", tt.name, tt.to, got, tt.log)
		}
	}
}
