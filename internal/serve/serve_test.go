package serve_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"inosyncd/internal/serve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves h, one request at once, and returns where, and what Lost gets.
func start(t *testing.T, h http.HandlerFunc) (*serve.Server, net.Listener, <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan error, 1)
	s := serve.Start(l, serve.Options{
		HTTP:     &http.Server{Handler: h},
		Requests: 1,
		Full:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }),
		Lost:     func(err error) { lost <- err },
		Log:      slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() { _ = s.Close() })
	return s, l, lost
}

func get(t *testing.T, l net.Listener) (code int, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// Close ends what waits, and does not return before its handler has.
func TestClose(t *testing.T) {
	began, ended := make(chan struct{}), false
	s, l, lost := start(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		ended = true // seen below without a race: Close waits for it
	})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = get(t, l)
	}()
	<-began
	if code, err := get(t, l); code != 503 || err != nil {
		t.Errorf("GET number 2 of 1: got %d, %v, want 503", code, err)
	}
	if err := s.Close(); err != nil || !ended {
		t.Errorf("Close(): got %v, handler ended %v, want nil and that it has", err, ended)
	}
	<-answered
	if _, err := get(t, l); err == nil {
		t.Error("GET after Close(): got an answer, want none")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close() again: %v", err)
	}
	select {
	case err := <-lost:
		t.Errorf("Lost(%v) at Close, want no call", err)
	default:
	}
}

// A listener that ends by itself is told of.
func TestLost(t *testing.T) {
	_, l, lost := start(t, func(http.ResponseWriter, *http.Request) {})
	_ = l.Close()
	if err := <-lost; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Lost: got %v, want %v", err, net.ErrClosed)
	}
}
