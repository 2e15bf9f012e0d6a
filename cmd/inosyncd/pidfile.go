package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// pidFile is a locked file that holds the process's number. The lock, not the
// file, says that the daemon runs: a file that a killed daemon left is taken
// over.
type pidFile struct {
	path string
	f    *os.File // keeps the lock; never handed to a child
}

// lockPidFile makes, locks and writes the file at path; "" is none. The error
// names the process that holds it.
func lockPidFile(path string) (*pidFile, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // no file is asked for: release takes nil
	}
	for {
		p, err := openPidFile(path)
		if err != nil {
			return nil, err
		}
		if !p.there() { // the daemon that had it has ended meanwhile, and removed it
			_ = p.f.Close()
			continue
		}
		if err := p.write(); err != nil {
			p.release()
			return nil, fmt.Errorf("writing the pid file: %w", err)
		}
		return p, nil
	}
}

// openPidFile opens and locks what is at path, or what it makes there.
func openPidFile(path string) (*pidFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the pid file: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil:
		return &pidFile{path: path, f: f}, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		buf := make([]byte, 20)
		n, _ := f.Read(buf)
		err = fmt.Errorf("already running: process %s holds the pid file %q", printable(string(buf[:max(0, n-1)])), path)
	default:
		err = fmt.Errorf("locking the pid file %q: %w", path, err)
	}
	_ = f.Close()
	return nil, err
}

// there reports whether the path still leads to the file that is locked.
func (p *pidFile) there() bool {
	own, err := p.f.Stat()
	if err != nil {
		return false
	}
	at, err := os.Lstat(p.path)
	return err == nil && os.SameFile(own, at)
}

func (p *pidFile) write() error {
	if err := p.f.Truncate(0); err != nil {
		return err
	}
	_, err := p.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// release removes the file and gives up the lock, in this order: only who has
// the lock of the file at the path may remove it. Another file there is
// somebody else's.
func (p *pidFile) release() {
	if p == nil {
		return
	}
	if p.there() {
		_ = os.Remove(p.path)
	}
	_ = p.f.Close()
}
