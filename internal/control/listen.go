package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// probeLimit is how long a daemon may take to accept a connection before the
// socket is taken for one that somebody holds and does not serve.
const probeLimit = 2 * time.Second

// listen makes the socket at path, with mode 0600. One that a dead daemon has
// left is replaced.
func listen(path string) (l *net.UnixListener, replaced bool, err error) {
	release, err := claim(path)
	if err != nil {
		return nil, false, err
	}
	defer release()
	if replaced, err = removeStale(path); err != nil {
		return nil, false, err
	}
	lc := net.ListenConfig{Control: private}
	made, err := lc.Listen(context.Background(), "unix", path)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, false, &RunningError{Path: path} // it was faster
	}
	if err != nil {
		return nil, false, makingError(path, err)
	}
	return made.(*net.UnixListener), replaced, nil
}

// private gives the socket its mode before it has a name: bind(2) takes the
// mode from the socket, so there is no moment at which others can connect.
func private(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); e != nil {
		return e
	}
	return err
}

func makingError(path string, err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = errno // without the path once more
	}
	return fmt.Errorf("making the control socket %q: %w; name a place that can be written with the key control, or none with \"\"", path, err)
}

// removeStale removes a socket that nobody listens on, and reports whether there was
// one.
func removeStale(path string) (bool, error) {
	was, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, makingError(path, err)
	case was.Mode().Type() != fs.ModeSocket:
		return false, makingError(path, errors.New("something is there that is no socket"))
	}
	pid, err := probe(path)
	switch {
	case err == nil && !dead(pid):
		return false, &RunningError{Path: path, PID: pid}
	case err == nil, errors.Is(err, unix.ECONNREFUSED):
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, makingError(path, err)
		}
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, makingError(path, err)
}

// probe connects to the socket at path and returns who listens there.
func probe(path string) (pid int, err error) {
	c, err := net.DialTimeout("unix", path, probeLimit)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer c.Close()
	// Of the listening end the kernel keeps who called listen(2); unix(7).
	if cred, err := peer(c); err == nil {
		pid = int(cred.Pid)
	}
	return pid, nil
}

// dead reports whether the process that listened has ended: then nobody answers,
// though a child that it was about to start may hold the socket for a moment. 0
// is one that cannot be seen from here.
func dead(pid int) bool { return pid > 0 && errors.Is(unix.Kill(pid, 0), unix.ESRCH) }

// claim waits until no other daemon is about to replace or make the socket at
// path: otherwise one could take the new socket of another for the stale one
// that it has just seen. Who finds that it has locked a file that is no longer
// there tries again.
func claim(path string) (release func(), err error) {
	name := path + ".lock"
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, makingError(path, err)
		}
		if err := flock(f); err != nil {
			_ = f.Close()
			return nil, makingError(path, err)
		}
		held, err := f.Stat()
		now, gone := os.Lstat(name)
		if err == nil && gone == nil && os.SameFile(held, now) {
			return func() {
				_ = os.Remove(name)
				_ = f.Close() // and so unlocked
			}, nil
		}
		_ = f.Close()
	}
}

// flock waits for the lock on f; signal handlers may interrupt it (flock(2)).
func flock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
