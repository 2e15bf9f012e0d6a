package lab_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"inosyncd/internal/lab"
)

func dial(t *testing.T, port int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c
}

// echo starts a server that sends back what it gets, and returns its port.
func echo(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port
}

func proxy(t *testing.T, o lab.ProxyOptions) *lab.Proxy {
	t.Helper()
	p, err := lab.StartProxy(echo(t), o)
	must(t, err)
	t.Cleanup(p.Close)
	return p
}

// roundTrip sends text and reads it back, and returns how long that took.
func roundTrip(t *testing.T, c net.Conn, text []byte) time.Duration {
	t.Helper()
	begin := time.Now()
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(text)
		sent <- err
	}()
	got := make([]byte, len(text))
	_, err := io.ReadFull(c, got)
	must(t, err, <-sent)
	if !bytes.Equal(got, text) {
		t.Error("what came back is not what was sent")
	}
	return time.Since(begin)
}

func TestSilent(t *testing.T) {
	s, err := lab.StartSilent()
	must(t, err)
	c := dial(t, s.Port())
	must(t, lab.Eventually(time.Minute, func() error {
		if n := s.Connections(); n != 1 {
			return fmt.Errorf("Connections(): got %d, want 1", n)
		}
		return nil
	}))
	_, err = c.Write([]byte("hello?"))
	must(t, err, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read from a silent server: got %v, want no answer", err)
	}
	s.Close()
	must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read after Close: got %v, want the end", err)
	}
}

func TestRefused(t *testing.T) {
	r, err := lab.KeepRefused()
	must(t, err)
	defer r.Close()
	addr := fmt.Sprintf("127.0.0.1:%d", r.Port())
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial: got %v, want ECONNREFUSED", err)
	}
	if l, err := net.Listen("tcp", addr); err == nil {
		_ = l.Close()
		t.Error("Listen: got the port that is kept")
	}
}

func TestProxyLatency(t *testing.T) {
	t.Parallel()
	p := proxy(t, lab.ProxyOptions{Latency: 50 * time.Millisecond})
	c := dial(t, p.Port())
	if got := roundTrip(t, c, []byte("x")); got < 100*time.Millisecond {
		t.Errorf("a round trip: got %v, want twice 50ms", got)
	}
	// A latency is no rate: much takes hardly longer than little.
	if got := roundTrip(t, c, make([]byte, 1<<20)); got < 100*time.Millisecond || got > 5*time.Second {
		t.Errorf("a round trip of 1 MiB: got %v, want little more than twice 50ms", got)
	}
}

func TestProxyRate(t *testing.T) {
	t.Parallel()
	p := proxy(t, lab.ProxyOptions{Rate: 200_000})
	size := 100_000
	// The first chunk passes at once.
	want := time.Duration(float64(size-16<<10) / 200_000 * float64(time.Second))
	if got := roundTrip(t, dial(t, p.Port()), make([]byte, size)); got < want {
		t.Errorf("%d bytes at 200 kB/s: got %v, want at least %v", size, got, want)
	}
}

func TestProxyCut(t *testing.T) {
	t.Parallel()
	p := proxy(t, lab.ProxyOptions{})
	c := dial(t, p.Port())
	roundTrip(t, c, []byte("x"))
	p.Cut()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read after Cut: got %v, want ECONNRESET", err)
	}
	again, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Port()))
	if err == nil { // the reset can be as quick as the connection
		_, err = again.Read(make([]byte, 1))
		_ = again.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new connection: got %v, want ECONNRESET", err)
	}
	p.Resume()
	roundTrip(t, dial(t, p.Port()), []byte("x"))
}

func TestProxyStall(t *testing.T) {
	t.Parallel()
	p := proxy(t, lab.ProxyOptions{})
	c := dial(t, p.Port())
	p.Stall()
	_, err := c.Write([]byte("x"))
	must(t, err, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read while stalled: got %v, want nothing", err)
	}
	p.Resume()
	must(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err = io.ReadFull(c, make([]byte, 1))
	must(t, err)
}

// TestProxyPassesTheEnd sees that each way ends for itself: an end at the near
// side reaches the far one, whose answer still arrives.
func TestProxyPassesTheEnd(t *testing.T) {
	t.Parallel()
	p := proxy(t, lab.ProxyOptions{Latency: 5 * time.Millisecond})
	c := dial(t, p.Port())
	_, err := c.Write([]byte("all"))
	must(t, err, c.(*net.TCPConn).CloseWrite())
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "all" {
		t.Errorf("ReadAll after CloseWrite: got %q, %v, want all", got, err)
	}
}
