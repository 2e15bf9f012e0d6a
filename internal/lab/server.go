package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Ports are taken from below the range that Linux gives to outgoing connections
// (ip(7), ip_local_port_range): a server that is started again finds its port
// free.
const (
	firstPort = 16000
	ports     = 16000
)

// freePort returns a port that nothing listens on.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(ports)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("looking for a free port: %w", err)
}

// server is a stock server in the foreground on one port.
type server struct {
	name    string
	dir     string
	port    int
	command func(port int) *exec.Cmd
	proc    *process // nil while stopped
}

// errTaken is how a start fails when another process has got the port first.
var errTaken = errors.New("the port is taken")

// startAnywhere starts the server on a free port, and on another one when
// somebody was quicker.
func (s *server) startAnywhere() error {
	var err error
	for range 20 {
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.start(); !errors.Is(err, errTaken) {
			return err
		}
	}
	return err
}

// start starts the server on its port and returns when it listens there.
func (s *server) start() error {
	if s.proc != nil {
		return fmt.Errorf("starting %s: it runs", s.name)
	}
	out, err := os.Create(s.file("output"))
	if err != nil {
		return fmt.Errorf("starting %s: %w", s.name, err)
	}
	defer out.Close()
	cmd := s.command(s.port)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	p, err := start(cmd)
	if err != nil {
		return err
	}
	err = Eventually(time.Minute, func() error {
		if p.ended() || listens(p.pid(), s.port) {
			return nil
		}
		return errors.New("it does not listen")
	})
	if err == nil && p.ended() {
		err = s.whyEnded()
	}
	if err != nil {
		p.kill()
		return fmt.Errorf("starting %s on port %d: %w", s.name, s.port, err)
	}
	s.proc = p
	return nil
}

func (s *server) whyEnded() error {
	said, _ := os.ReadFile(s.file("output"))
	logged, _ := os.ReadFile(s.file("log"))
	all := string(said) + string(logged)
	if strings.Contains(all, "in use") { // EADDRINUSE, as bind(2) words it
		return errTaken
	}
	return fmt.Errorf("it ended: %s", strings.TrimSpace(all))
}

// file names a file of the server's.
func (s *server) file(kind string) string { return filepath.Join(s.dir, s.name+"."+kind) }

// Port is the TCP port on 127.0.0.1. It stays the same over a Restart.
func (s *server) Port() int { return s.port }

// PID is the process that listens; the server runs.
func (s *server) PID() int { return s.proc.pid() }

// LogFile is the file that the server logs to.
func (s *server) LogFile() string { return s.file("log") }

// Stop ends the server and its connections, as when a machine is shut down.
func (s *server) Stop() {
	if s.proc != nil {
		s.proc.stop()
		s.proc = nil
	}
}

// Kill ends the server and its connections by SIGKILL.
func (s *server) Kill() {
	if s.proc != nil {
		s.proc.kill()
		s.proc = nil
	}
}

// Restart starts the server on the same port, after a Stop where it runs.
func (s *server) Restart() error {
	s.Stop()
	return s.start()
}
