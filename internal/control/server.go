package control

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"inosyncd/internal/serve"
)

const (
	maxRequests = 64       // at once
	maxWaits    = 48       // of them
	maxHeader   = 64 << 10 // bytes of a request's head, and so of a path
	headLimit   = 10 * time.Second
	idleLimit   = 30 * time.Second
	writeLimit  = 10 * time.Second
)

// Server answers at a control socket.
type Server struct {
	daemon Daemon
	log    *slog.Logger
	path   string
	server *serve.Server
	stale  bool          // see Replaced
	waits  chan struct{} // a slot for each request that waits
}

// Serve makes the socket at path and answers there for d until Close. The
// error is a *RunningError when another daemon has the socket.
func Serve(path string, d Daemon, log *slog.Logger) (*Server, error) {
	l, replaced, err := listen(path)
	if err != nil {
		return nil, err
	}
	s := &Server{
		daemon: d,
		log:    log,
		path:   path,
		stale:  replaced,
		waits:  make(chan struct{}, maxWaits),
	}
	s.server = serve.Start(l, serve.Options{
		HTTP: &http.Server{
			Handler:           s.guard(s.routes()),
			ReadHeaderTimeout: headLimit,
			IdleTimeout:       idleLimit,
			MaxHeaderBytes:    maxHeader,
			ConnContext:       judge,
		},
		Requests: maxRequests,
		Full: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fail(w, http.StatusServiceUnavailable, errors.New("too many requests at once"))
		}),
		Lost: func(err error) { log.Error("control socket lost", "path", path, "err", err) },
		Log:  log,
	})
	return s, nil
}

// Path is where the socket is.
func (s *Server) Path() string { return s.path }

// Replaced reports whether the socket of a daemon was there that has not removed
// it: one that was killed.
func (s *Server) Replaced() bool { return s.stale }

// Close removes the socket, ends what waits and returns when every request is
// answered. It may be called more than once.
func (s *Server) Close() error { return s.server.Close() }

// guard keeps out who may not ask, and what no request has.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := verdict(r.Context()); err != nil {
			s.log.Warn("request on the control socket refused", "err", err)
			fail(w, http.StatusForbidden, err)
			return
		}
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close") // the body is not read
			fail(w, http.StatusBadRequest, errors.New("a request has no body: its arguments are in the query"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
