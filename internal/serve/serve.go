// Package serve runs an HTTP server until it is closed: the common part of control
// socket and web page.
//
// # Ordering
//
// Requests are independent of each other.
//
// # Blocking
//
// Only Close waits for handlers. The number of concurrent requests is bounded; more
// are refused.
//
// # Shutdown
//
// Server.Close ends the context of every request, gives the answers a moment to get
// out, and returns when the last handler has.
package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// closeLimit is for the answers that are on their way.
const closeLimit = 2 * time.Second

// Options say how a server differs from the others.
type Options struct {
	HTTP     *http.Server // its Handler, limits and ConnContext; the rest is set here
	Requests int          // at once
	Full     http.Handler // answers when there are more; that is all it may do
	Lost     func(error)  // called once if the listener fails before Close
	Log      *slog.Logger // for what goes wrong with a connection, at debug
}

// Server answers on one listener.
type Server struct {
	http     *http.Server
	requests chan struct{}      // a slot for each that is at work
	cancel   context.CancelFunc // ends the requests' context
	done     sync.WaitGroup     // the goroutine that accepts
	close    func() error       // once
}

// Start answers on l, which becomes the server's, until Close.
func Start(l net.Listener, o Options) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{http: o.HTTP, requests: make(chan struct{}, o.Requests), cancel: cancel}
	s.close = sync.OnceValue(s.shut)
	s.http.Handler = s.count(o.HTTP.Handler, o.Full)
	s.http.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	s.done.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Lost(err)
		}
	})
	return s
}

// Close stops listening and returns when every request is answered. It may be
// called more than once, also at the same time.
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
	for range cap(s.requests) {
		s.requests <- struct{}{} // waits for those that are at work
	}
	return err
}

// count lets Close wait for the requests that are at work.
func (s *Server) count(next, full http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.requests <- struct{}{}:
			defer func() { <-s.requests }()
			next.ServeHTTP(w, r)
		default:
			full.ServeHTTP(w, r)
		}
	})
}
