package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// TestTroubledNodesDelayNobody has nodes that refuse, that never answer and
// that break off beside a healthy one.
func TestTroubledNodesDelayNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	refused := labtest.Refused(t)
	silent := labtest.Silent(t)

	healthy := s.local("healthy")
	daemon := func(port int) node {
		url := fmt.Sprintf("rsync://127.0.0.1:%d/m/", port)
		return node{name: url, yaml: fmt.Sprintf("%q", url)}
	}
	dead, mute := daemon(refused.Port()), daemon(silent.Port())
	muteSSH := node{
		name: "127.0.0.1:/nowhere/",
		yaml: fmt.Sprintf("{target: '127.0.0.1:/nowhere/', ssh: {port: %d}}", silent.Port()),
	}
	s.startSynced(s.config("timeout: 10m\nedelay: 0", healthy, dead, mute, muteSSH), healthy)
	s.wait(1, "push failed", "node", dead.name)

	for i := range 20 {
		write(t, s.path("file"), fmt.Sprint(i))
		holds(t, healthy.dst+"/file", fmt.Sprint(i))
	}
	for _, n := range []node{mute, muteSSH} { // no push to them has ended all the time
		if got := s.Lines("push failed", "node", n.name); len(got) > 0 {
			t.Errorf("a node that says nothing was given up before its timeout: got %v", got)
		}
	}
	silent.Close()
	s.wait(1, "push failed", "node", mute.name, "level", "ERROR")
	s.wait(1, "push failed", "node", muteSSH.name, "level", "ERROR")
	s.wait(int(s.node(dead).Failures), "push failed", "node", dead.name, "level", "ERROR") // a line for each
	if got := s.Lines("push failed", "node", healthy.name); len(got) > 0 {
		t.Errorf("failures of the healthy node: got %v", got)
	}
}

// TestNodesComeBack stops what the nodes are served by and starts it again.
func TestNodesComeBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	module, daemon := s.module("module", "push")
	remote, sshd := s.ssh("remote")
	nodes := []node{module, remote}
	storm := s.storm(4)
	s.startSynced(s.config("", nodes...), nodes...)
	must(t, storm.Step(100))
	s.same(nodes...)

	daemon.Stop()
	sshd.Stop()
	must(t, storm.Step(100))
	for _, n := range nodes {
		s.wait(1, "push failed", "node", n.name)
	}
	must(t, storm.Step(100))
	must(t, daemon.Restart(), sshd.Restart())
	s.same(nodes...)
}

// TestLineIsCut cuts and stalls the line to a daemon in the middle of things.
func TestLineIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n, daemon := s.module("module", "")
	proxy, err := lab.StartProxy(daemon.Port(), lab.ProxyOptions{Latency: 5 * time.Millisecond})
	must(t, err)
	defer proxy.Close()
	n.name = fmt.Sprintf("rsync://127.0.0.1:%d/module/", proxy.Port())
	n.yaml = fmt.Sprintf("%q", n.name)
	storm := s.storm(5)
	must(t, storm.Step(100))
	s.startSynced(s.config("timeout: 2", n), n)

	for _, trouble := range []func(){proxy.Cut, proxy.Stall} {
		must(t, storm.Step(50))
		before := len(s.Lines("push failed", "node", n.name)) // a failure that goes on is told once
		trouble()
		must(t, storm.Step(50))
		s.wait(before+1, "push failed", "node", n.name)
		proxy.Resume()
		s.same(n)
	}
}
