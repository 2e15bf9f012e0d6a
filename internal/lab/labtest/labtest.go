// Package labtest hands the equipment of package lab to tests: what cannot be
// had skips the test with a reason, what goes wrong fails it, and what was
// started ends with it.
//
// # Blocking and shutdown
//
// As in package lab. Everything is ended by the test's cleanup, in the reverse
// order.
package labtest

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"

	"inosyncd/internal/lab"
)

// Limit is how long a test waits for what should happen soon, also on a machine
// that is slow and busy.
const Limit = 3 * time.Minute

// longestTemp is the longest $TMPDIR that [Dir] makes its directories in: with
// their names and those that tests put below, the path of a socket stays within
// 107 bytes.
const longestTemp = 40

// Need skips the test when a program is not installed.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	if err := lab.Need(programs...); err != nil {
		t.Skipf("needs %q: %v", programs, err)
	}
}

// Dir returns an empty directory with a short path, which the path of a unix
// socket needs: unix(7).
func Dir(t testing.TB) string {
	t.Helper()
	in := os.TempDir()
	if len(in) > longestTemp {
		in = "/tmp"
	}
	dir, err := os.MkdirTemp(in, "lab") //nolint:usetesting // t.TempDir has the test's name in its path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing what the test has made: %v", err)
		}
	})
	return dir
}

// Daemon starts an rsync daemon.
func Daemon(t testing.TB, modules ...lab.Module) *lab.Daemon {
	t.Helper()
	Need(t, "rsync")
	d, err := lab.StartDaemon(Dir(t), lab.DaemonOptions{Modules: modules})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d
}

// SSHD starts an sshd.
func SSHD(t testing.TB) *lab.SSHD {
	t.Helper()
	Need(t, "sshd", "ssh", "ssh-keygen", "rsync")
	s, err := lab.StartSSHD(Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Silent starts a server that accepts connections and never says a word.
func Silent(t testing.TB) *lab.Silent {
	t.Helper()
	s, err := lab.StartSilent()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Refused keeps a port on which connections are refused.
func Refused(t testing.TB) *lab.Refused {
	t.Helper()
	r, err := lab.KeepRefused()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// Log is what several goroutines log to while the test reads it.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write appends to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Take returns what was logged since it was last called.
func (l *Log) Take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// Eventually fails the test when f has not returned nil within Limit.
func Eventually(t testing.TB, f func() error) {
	t.Helper()
	if err := lab.Eventually(Limit, f); err != nil {
		t.Fatal(err)
	}
}
