package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// listen returns a listener for address and the host that it names.
func listen(address string) (net.Listener, string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", fmt.Errorf("listening at %q: %w", address, err)
	}
	host = cmp.Or(host, "localhost") // not every address: who wants that says so
	network := "tcp"
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		network = "tcp4" // with "tcp", package net takes 0.0.0.0 for [::] as well
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), network, net.JoinHostPort(host, port))
	if err != nil {
		return nil, "", listenError(address, err)
	}
	return &bounded{Listener: l, slots: make(chan struct{}, maxConns)}, host, nil
}

func listenError(address string, err error) error {
	cause := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		cause = op.Err // without the address once more
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listening at %q: %w; another program is there: name a free port with the key listen", address, cause)
	}
	return fmt.Errorf("listening at %q: %w", address, cause)
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// bounded accepts so many connections at once as it has slots and closes
// others, so that strangers cannot take the descriptors that pushes need.
type bounded struct {
	net.Listener
	slots chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.slots <- struct{}{}:
			return &slotted{Conn: c, free: sync.OnceFunc(func() { <-b.slots })}, nil
		default:
			_ = c.Close()
		}
	}
}

// slotted gives its slot back when it is closed.
type slotted struct {
	net.Conn
	free func()
}

func (c *slotted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
