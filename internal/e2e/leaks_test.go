package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
)

// footprint is what a process holds.
type footprint struct{ fds, watches, children int }

// footprint reads what the daemon holds: proc_pid_fd(5), and inotify's lines in
// proc_pid_fdinfo(5).
func (s *site) footprint() footprint {
	s.t.Helper()
	f := footprint{children: len(below(s.PID()))}
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", s.PID()))
	must(s.t, err)
	for _, info := range infos {
		text, err := os.ReadFile(info)
		if err != nil {
			continue // closed since
		}
		f.fds++
		f.watches += strings.Count(string(text), "inotify wd:")
	}
	return f
}

// goroutines ends the daemon with a dump of its goroutines and counts them.
func (s *site) goroutines() int {
	s.t.Helper()
	must(s.t, s.Signal(unix.SIGQUIT))
	_, err := s.Wait(labtest.Limit)
	must(s.t, err)
	return strings.Count("\n"+s.Log(), "\ngoroutine ")
}

// TestLeaks counts what the daemon holds before and after a storm, with nodes that
// are reached and others that are not, and what is left of it at the end.
func TestLeaks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	remote, sshd := s.ssh("remote")
	module, _ := s.module("module", "push")
	dead, downed := s.module("dead", "")
	downed.Stop()
	nodes := []node{s.local("local"), remote, module}
	config := s.config("max_armed: 0\nretry_min: 50ms\nretry_max: 50ms", append(nodes, dead)...)
	must(t, os.Mkdir(s.path("d"), 0o755)) // so that the way of one push is the way of all
	s.startSynced(config, nodes...)
	s.wait(1, "push failed", "node", dead.name)
	s.settled(nil)
	before := s.footprint()

	storm := s.storm(7)
	for range 3 {
		must(t, storm.Step(150))
		s.same(nodes...)
		must(t, s.Signal(unix.SIGHUP)) // the same configuration: nothing starts anew
	}
	s.wait(3, "configuration reloaded")
	must(t, os.MkdirAll(s.path("out/below"), 0o755))
	s.same(nodes...)
	must(t, os.Rename(s.path("out"), s.dir+"/out")) // with its watches
	entries, err := os.ReadDir(s.src)
	must(t, err)
	for _, e := range entries {
		must(t, os.RemoveAll(s.path(e.Name())))
	}
	must(t, os.Mkdir(s.path("d"), 0o755))
	s.same(nodes...)
	s.settled(&before)
	grown := s.goroutines()

	s.startSynced(config, nodes...)
	s.wait(1, "push failed", "node", dead.name)
	s.settled(&before)
	if fresh := s.goroutines(); grown > fresh+12 { // a push of the dead node may be running
		t.Errorf("goroutines after a storm: got %d, want %d as after a start", grown, fresh)
	}

	// A dump is no clean end, after which ssh keeps the connection that is shared
	// for a while: ssh_config(5), ControlPersist.
	must(t, sshd.Restart())
	s.startSynced(config, nodes...)
	server := sshd.PID()
	if len(below(server)) == 0 {
		t.Error("no connection is shared: the test shows nothing")
	}
	_, err = s.Stop()
	must(t, err)
	labtest.Eventually(t, func() error {
		left := withArgument(s.dir + "/")
		if connections := len(below(server)); connections > 0 || len(left) > 0 {
			return fmt.Errorf("after the stop, there are still %d processes of sshd, and the processes %v", connections, left)
		}
		return nil
	})
}

// settled waits until the daemon holds no more than want; nil: until it has no
// child.
func (s *site) settled(want *footprint) {
	s.t.Helper()
	labtest.Eventually(s.t, func() error {
		got := s.footprint()
		if want == nil && got.children > 0 || want != nil && (got.fds > want.fds || got.watches != want.watches || got.children > want.children) {
			return fmt.Errorf("the daemon holds %+v, want %+v", got, want)
		}
		return nil
	})
}
