// Package web serves the daemon's listen address: a page with all nodes, metrics for
// Prometheus, and two health checks.
//
//	GET  /             the page; it is complete without a script
//	GET  /node         the page of one node, with its log; /node/log as a file
//	GET  /events       what changes on a page, as server-sent events
//	GET  /status.json  the status document
//	GET  /metrics      for Prometheus
//	GET  /readyz       200 when every tree is watched, else 503 and why
//	GET  /healthz      200 while the process answers
//	POST /order        the page's buttons
//
// With a token, everything but /healthz requires it, and whoever has it may do
// everything. Without one, the page on a loopback address has buttons for root and
// the user that runs the daemon: the kernel tells whose connection it is, as on the
// control socket. On any other address there are then no buttons and no orders,
// since nothing identifies the user. In every case an order must come from the page
// itself, shown by its origin and by a secret that only the page has.
//
// # Ordering
//
// Every answer shows the daemon's state at that time. An order has been carried out
// when its answer arrives.
//
// # Blocking
//
// Nothing here waits for a push. Connections, open event streams and the duration of
// a request are bounded; anything beyond is refused.
//
// # Shutdown
//
// [Server.Close] ends the event streams and waits for all goroutines.
package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"inosyncd/internal/control"
	"inosyncd/internal/nodelog"
	"inosyncd/internal/serve"
	"inosyncd/internal/status"
)

// Daemon is what a Server speaks for. Its methods are called by many goroutines
// at once and do not wait for pushes.
type Daemon interface {
	Status() status.Status

	// Ready returns why the daemon does not do its work yet, or no longer.
	Ready() error

	// Runs reports whether a node is enabled: others are shown, and not
	// counted.
	Runs(n control.Node) bool

	// Orders are those that make sense for a node that runs and stands so.
	Orders(mirror status.Mirror, node status.Node) []control.Order

	// Log is what was logged of a node lately, the oldest first. Control bytes
	// are escaped.
	Log(n control.Node) []nodelog.Line

	// Order does something to one node. An error that is a
	// *control.UsageError says that there is no such node.
	Order(o control.Order, n control.Node) error
}

// Build is what the program was built from, for the metrics.
type Build struct{ Version, Commit string }

const (
	maxConns   = 256      // at once
	maxStreams = 32       // pages that are kept up to date
	maxHeader  = 16 << 10 // bytes of a request's head
	maxForm    = 16 << 10 // bytes of an order
	readLimit  = 10 * time.Second
	writeLimit = 10 * time.Second
	idleLimit  = 30 * time.Second
	refresh    = time.Second // of a page
)

// Server answers at a TCP address.
type Server struct {
	daemon Daemon
	build  Build
	log    *slog.Logger
	server *serve.Server

	addr  net.Addr
	host  string // as the configuration names it
	local bool   // addr is a loopback address
	token string // an order has it

	key     atomic.Pointer[key] // of the token that is asked for; nil: none is
	guesses guesses

	streams chan struct{} // a slot for each page that is kept up to date

	history history
	stop    context.CancelFunc // ends the goroutine that looks at the counters
	done    sync.WaitGroup     // that goroutine
}

// Serve listens at address, host:port, and answers there for d until Close. No
// host is the loopback address, port 0 any that is free. Who has token may
// enter; if it is "", everyone.
func Serve(address, token string, d Daemon, b Build, log *slog.Logger) (*Server, error) {
	l, host, err := listen(address)
	if err != nil {
		return nil, err
	}
	s := &Server{
		daemon:  d,
		build:   b,
		log:     log,
		addr:    l.Addr(),
		host:    host,
		local:   isLoopback(l.Addr()),
		token:   rand.Text(),
		streams: make(chan struct{}, maxStreams),
	}
	s.key.Store(newKey(token))
	s.server = serve.Start(l, serve.Options{
		HTTP: &http.Server{
			Handler:           s.routes(),
			ReadHeaderTimeout: readLimit,
			ReadTimeout:       readLimit,
			WriteTimeout:      writeLimit,
			IdleTimeout:       idleLimit,
			MaxHeaderBytes:    maxHeader,
		},
		Requests: maxConns, // one a connection
		Full: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "stopping", http.StatusServiceUnavailable)
		}),
		Lost: func(err error) { log.Error("web page lost", "address", s.addr.String(), "err", err) },
		Log:  log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.done.Go(func() { s.remember(ctx) })
	return s, nil
}

// remember looks at the counters until ctx is done: nobody may have the page
// open in the hour that it is to show.
func (s *Server) remember(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		s.history.look(s.daemon.Status(), time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.addr.String() + "/" }

// SetToken has another token asked for from now on, or none if it is "". Pages
// that are kept up to date have to ask again.
func (s *Server) SetToken(token string) { s.key.Store(newKey(token)) }

// Open reports whether other machines reach the page and nobody is asked who he
// is, so that it has no buttons.
func (s *Server) Open() bool { return !s.local && s.key.Load() == nil }

// Close stops listening and returns when every request is answered. It may be
// called more than once.
func (s *Server) Close() error {
	s.stop()
	err := s.server.Close()
	s.done.Wait()
	return err
}
