package lab

import (
	"fmt"
	"net"
	"sync"

	"golang.org/x/sys/unix"
)

// Silent is a server that accepts connections and never says a word.
type Silent struct {
	l    net.Listener
	wg   sync.WaitGroup // the accepting goroutine
	mu   sync.Mutex
	kept []net.Conn // guarded by mu
}

// StartSilent starts a silent server on 127.0.0.1.
func StartSilent() (*Silent, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a silent server: %w", err)
	}
	s := &Silent{l: l}
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.kept = append(s.kept, c)
			s.mu.Unlock()
		}
	})
	return s, nil
}

// Port is the TCP port on 127.0.0.1.
func (s *Silent) Port() int { return port(s.l) }

// Connections is how many have been accepted so far.
func (s *Silent) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept)
}

// Close ends the server and its connections.
func (s *Silent) Close() {
	_ = s.l.Close()
	s.wg.Wait()
	for _, c := range s.kept {
		_ = c.Close()
	}
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// Refused is a port of 127.0.0.1 that refuses connections for as long as it is
// kept: it is bound, so nobody else gets it, and nobody listens.
type Refused struct {
	fd   int
	port int
}

// KeepRefused takes a port that refuses connections.
func KeepRefused() (*Refused, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("keeping a port: %w", err)
	}
	r := &Refused{fd: fd}
	err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		var at unix.Sockaddr
		if at, err = unix.Getsockname(fd); err == nil {
			r.port = at.(*unix.SockaddrInet4).Port
			return r, nil
		}
	}
	r.Close()
	return nil, fmt.Errorf("keeping a port: %w", err)
}

// Port is the port that refuses.
func (r *Refused) Port() int { return r.port }

// Close gives the port back.
func (r *Refused) Close() { _ = unix.Close(r.fd) }
