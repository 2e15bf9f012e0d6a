package lab

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// ProxyOptions say what the way through a proxy is like.
type ProxyOptions struct {
	Latency time.Duration // each way
	Rate    int           // bytes a second, each way, of all connections together; 0 is no limit
}

// Proxy is a TCP proxy that makes a network out of loopback: far, narrow, cut
// or stalled.
type Proxy struct {
	to      string
	latency time.Duration
	limits  [2]*rate.Limiter // there and back
	l       net.Listener
	ctx     context.Context    // ends with Close
	cancel  context.CancelFunc // ends ctx
	wg      sync.WaitGroup     // every goroutine
	sent    atomic.Int64       // see Sent

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu; both sides of each connection
	cut   bool              // guarded by mu
	gate  chan struct{}     // guarded by mu; closed while bytes may pass
}

// chunk is the most that travels at once. It is also the burst of the rate.
const chunk = 16 << 10

// StartProxy starts a proxy on 127.0.0.1 to a port there.
func StartProxy(toPort int, o ProxyOptions) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a proxy: %w", err)
	}
	p := &Proxy{
		to:      fmt.Sprintf("127.0.0.1:%d", toPort),
		latency: o.Latency,
		l:       l,
		conns:   make(map[net.Conn]bool),
		gate:    make(chan struct{}),
	}
	close(p.gate)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	for i := range p.limits {
		p.limits[i] = rate.NewLimiter(limit, chunk)
	}
	p.wg.Go(p.accept)
	return p, nil
}

// Port is the proxy's TCP port on 127.0.0.1.
func (p *Proxy) Port() int { return port(p.l) }

func (p *Proxy) accept() {
	for {
		near, err := p.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			reset(near)
			continue
		}
		if p.add(near, far) {
			p.wg.Go(func() { p.serve(near, far) })
		}
	}
}

// serve carries both ways until both ends have been reached.
func (p *Proxy) serve(near, far net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { p.carry(counted{near, &p.sent}, far, p.limits[0]) })
	both.Go(func() { p.carry(far, near, p.limits[1]) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, near)
	delete(p.conns, far)
	_ = near.Close()
	_ = far.Close()
}

// add takes a connection, or resets it where the line is cut.
func (p *Proxy) add(near, far net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		reset(near)
		reset(far)
		return false
	}
	p.conns[near], p.conns[far] = true, true
	return true
}

// Sent is how many bytes have come from those who connected.
func (p *Proxy) Sent() int64 { return p.sent.Load() }

// counted is a connection that adds what is read of it to a number.
type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// Cut resets all connections, and new ones until Resume.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		reset(c)
	}
	clear(p.conns)
}

// Stall keeps connections open and takes new ones, and lets no byte through
// until Resume.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gate:
		p.gate = make(chan struct{})
	default: // stalled already
	}
}

// Resume ends a Cut and a Stall.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	select {
	case <-p.gate: // open already
	default:
		close(p.gate)
	}
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.cancel()
	_ = p.l.Close()
	p.Cut()
	p.wg.Wait()
}

// pass waits until bytes may pass.
func (p *Proxy) pass() error {
	p.mu.Lock()
	gate := p.gate
	p.mu.Unlock()
	select {
	case <-gate:
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// reset closes a connection so that its other end sees ECONNRESET.
func reset(c net.Conn) {
	if counting, ok := c.(counted); ok {
		c = counting.Conn
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
