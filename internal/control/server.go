package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxRequests = 64       // at once
	maxWaits    = 48       // of them
	maxHeader   = 64 << 10 // bytes of a request's head, and so of a path
	headLimit   = 10 * time.Second
	idleLimit   = 30 * time.Second
	writeLimit  = 10 * time.Second
	closeLimit  = 2 * time.Second // for the answers that are on their way
)

// Server answers at a control socket.
type Server struct {
	daemon Daemon
	log    *slog.Logger
	path   string
	http   *http.Server

	requests chan struct{} // a slot for each that is at work
	waits    chan struct{} // and for each that waits

	cancel context.CancelFunc // ends the waits
	done   sync.WaitGroup     // the goroutine that accepts
	close  func() error       // once
}

// Serve makes the socket at path and answers there for d until Close. The
// error is a *RunningError when another daemon has the socket.
func Serve(path string, d Daemon, log *slog.Logger) (*Server, error) {
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		daemon:   d,
		log:      log,
		path:     path,
		requests: make(chan struct{}, maxRequests),
		waits:    make(chan struct{}, maxWaits),
		cancel:   cancel,
	}
	s.close = sync.OnceValue(s.shut)
	s.http = &http.Server{
		Handler:           s.guard(s.routes()),
		ReadHeaderTimeout: headLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       judge,
	}
	s.done.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("control socket lost", "path", path, "err", err)
		}
	})
	return s, nil
}

// Path is where the socket is.
func (s *Server) Path() string { return s.path }

// Close removes the socket, ends what waits and returns when every request is
// answered. It may be called more than once.
func (s *Server) Close() error { return s.close() }

func (s *Server) shut() error {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close() // who does not take the answer goes without
	}
	s.done.Wait()
	for range maxRequests {
		s.requests <- struct{}{} // waits for those that are at work
	}
	return err
}

// guard keeps out who may not ask, what is too much, and what no request has.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := verdict(r.Context()); err != nil {
			s.log.Warn("request on the control socket refused", "err", err)
			fail(w, http.StatusForbidden, err)
			return
		}
		select {
		case s.requests <- struct{}{}:
			defer func() { <-s.requests }()
		default:
			fail(w, http.StatusServiceUnavailable, errors.New("too many requests at once"))
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
