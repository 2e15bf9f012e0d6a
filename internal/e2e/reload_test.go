package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

// reload gives the daemon another configuration and waits until it is applied.
func (s *site) reload(text string) {
	s.t.Helper()
	n := len(s.Lines("configuration reloaded")) + 1
	must(s.t, s.Configure(text), s.Signal(unix.SIGHUP))
	s.wait(n, "configuration reloaded")
}

// with is a node with more keys.
func (n node) with(keys string) node {
	n.yaml = fmt.Sprintf("{target: %q, %s}", n.name, keys)
	return n
}

// stray puts something on nodes that only a comparison of everything finds.
func (s *site) stray(nodes ...node) {
	for _, n := range nodes {
		write(s.t, n.dst+"/stray", "s")
	}
}

// marked changes the source and waits for that on the nodes: whatever was to be
// pushed to them before has been.
func (s *site) marked(name string, nodes ...node) {
	s.t.Helper()
	write(s.t, s.path(name), name)
	for _, n := range nodes {
		holds(s.t, n.dst+"/"+name, name)
	}
	for _, n := range nodes {
		labtest.Eventually(s.t, func() error {
			if now := s.node(n); !now.InSync {
				return fmt.Errorf("%s has all, and its status is %+v", n.name, now)
			}
			return nil
		})
	}
}

// expectStray compares which of the nodes have not been compared.
func (s *site) expectStray(want bool, nodes ...node) {
	s.t.Helper()
	for _, n := range nodes {
		if got := exists(n.dst + "/stray"); got != want {
			s.t.Errorf("%s: got a full sync %v, want %v", n.name, !got, !want)
		}
	}
}

// TestReloadOfNodes adds, changes and removes nodes. Each is compared only where
// that is of use, and what is removed stays as it is.
func TestReloadOfNodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	same, slower, other, gone, off, late := s.local("same"), s.local("slower"), s.local("other"), s.local("gone"), s.local("off"), s.local("late")
	old := []node{same, slower, other, gone, off}
	s.startSynced(s.config("", old...), old...)
	s.marked("one", old...)
	s.stray(append(old, late)...)
	before := map[string]status.Node{}
	for _, n := range old {
		before[n.name] = s.node(n)
	}

	s.reload(s.config("", late, same, slower.with("rspeed: 50M, timeout: 30, max_delete: 500"),
		other.with("checksum: true"), off.with("enabled: false")))
	s.marked("two", same, slower, other, late)
	s.same(other, late)
	s.expectStray(true, same, slower, gone, off)
	for _, n := range []node{gone, off} {
		if !exists(n.dst+"/one") || exists(n.dst+"/two") {
			t.Errorf("%s: got a copy that is not as it was left", n.name)
		}
	}
	s.wait(1, "node removed: its copy is left as it is", "node", gone.name)
	s.wait(1, "node removed: its copy is left as it is", "node", off.name)
	for _, n := range []node{same, slower, other} {
		was, is := before[n.name], s.node(n)
		if is.Pushes <= was.Pushes || is.BytesSent <= was.BytesSent || is.Failures != was.Failures {
			t.Errorf("%s: got the counters %+v, want them to go on from %+v", n.name, is, was)
		}
		if compared := !is.LastFullSync.Equal(*was.LastFullSync); compared != (n.name == other.name) {
			t.Errorf("%s: got a full sync %v", n.name, compared)
		}
	}
	if got := len(s.Lines("mirror watched")); got != 1 {
		t.Errorf("watches: got %d, want the first", got)
	}

	s.reload(s.config("", same, gone, off)) // they come back
	s.same(gone, off)
	s.expectStray(true, same)
}

// TestReloadOfTheSource changes what is no concern of the watcher's, and then
// what is.
func TestReloadOfTheSource(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	s.startSynced(s.config("", n), n)
	s.marked("one", n)
	s.stray(n)
	text := strings.Replace(s.config("", n), "name: site", "name: site\ndescription: d", 1)
	s.command("pause", n.name)
	s.reload(text)
	if got := s.node(n); got.Held == nil || got.Held.Reason != "paused" {
		t.Errorf("a paused node of a mirror that was changed: got %+v, want it paused", got)
	}
	s.command("resume", n.name)
	s.marked("two", n)
	s.expectStray(true, n)
	s.reload("schedule: '@every 1s'\n" + text)
	s.same(n)
	if got := len(s.Lines("mirror watched")); got != 1 {
		t.Errorf("watches after another description and schedule: got %d, want the first", got)
	}

	before := s.node(n)
	s.reload("rexcludes: [/stray]\nedelay: 0\n" + strings.Replace(text, "edelay: 50ms\n", "", 1))
	s.stray(n)
	s.marked("three", n)
	s.expectStray(true, n) // excluded now
	if is := s.node(n); is.Pushes <= before.Pushes || is.LastFullSync.Equal(*before.LastFullSync) {
		t.Errorf("status: got %+v, want another full sync and counters that go on from %+v", is, before)
	}

	s.reload(strings.Replace(text, "name: site", "name: renamed", 1))
	s.wait(1, "mirror watched", "mirror", "renamed")
	s.marked("four", n)
	s.expectStray(false, n) // another mirror: compared in full
}

// TestReloadBesideAStuckNode has nodes that every push to hangs: they delay no
// reload, not even one that changes or removes them.
func TestReloadBesideAStuckNode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hanging := func() (node, *lab.Silent) {
		silent := labtest.Silent(t)
		return node{name: fmt.Sprintf("rsync://127.0.0.1:%d/m/", silent.Port())}.with("timeout: 1h"), silent
	}
	stuck, silent := hanging()
	other, otherSilent := hanging()
	first, second, third := s.local("first"), s.local("second"), s.local("third")
	s.start(s.config("", stuck, other, first), "-v")
	s.wait(1, "pushed", "node", first.name)

	s.reload(s.config("", stuck, other.with("timeout: 2h"), first, second))
	s.marked("one", first, second)
	s.wait(1, "push cancelled", "node", other.name)
	labtest.Eventually(t, func() error {
		if got := otherSilent.Connections(); got != 2 {
			return fmt.Errorf("pushes to the node that has changed: got %d, want another", got)
		}
		return nil
	})
	if got := silent.Connections(); got != 1 || len(s.Lines("push cancelled", "node", stuck.name)) > 0 {
		t.Errorf("pushes to the node that has not: got %d, want one that goes on", got)
	}

	s.reload(s.config("", first, third))
	s.marked("two", first, third)
	s.wait(1, "push cancelled", "node", stuck.name)
	if exists(second.dst + "/two") {
		t.Error("a node that was removed was pushed to")
	}
}

// TestReloadStorm reloads again and again, with nodes that come, go and change,
// and mirrors that are watched in other ways, while the source changes.
func TestReloadStorm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	module, _ := s.module("module", "push")
	nodes := []node{s.local("a"), s.local("b"), module}
	keys := []string{"rspeed: 0", "rspeed: 100M", "timeout: 50", "checksum: true", "max_delete: 100000", "delay_updates: true", "enabled: false", "push_rate: 15"}
	tops := []string{"", "edelay: 0", "max_parallel: 2", "rspeed_total: 500M", "schedule: '@every 1s'", "max_armed: 0"}
	storm, rnd := s.storm(6), rand.New(rand.NewPCG(6, 0))
	must(t, storm.Step(50))
	s.startSynced(s.config("", nodes...), nodes...)
	for i := range 25 {
		must(t, storm.Step(20))
		var chosen []node
		for _, n := range nodes {
			if n.dst == module.dst && rnd.IntN(3) > 0 {
				chosen = append(chosen, n) // as it is, with its password
			} else if n.dst != module.dst && rnd.IntN(4) > 0 {
				chosen = append(chosen, n.with(keys[rnd.IntN(len(keys))]))
			}
		}
		if len(chosen) == 0 {
			chosen = nodes[:1]
		}
		text := s.config(tops[rnd.IntN(len(tops))], chosen...)
		if rnd.IntN(3) == 0 {
			text = strings.Replace(text, "name: site", fmt.Sprint("name: site", i), 1)
		}
		next := len(s.Lines("configuration reloaded")) + 1
		must(t, s.Configure(text), s.Signal(unix.SIGHUP))
		if rnd.IntN(2) == 0 {
			s.wait(next, "configuration reloaded") // of this one, or of one before
		}
	}
	must(t, s.Configure(s.config("", nodes...)), s.Signal(unix.SIGHUP))
	must(t, storm.Step(20))
	s.same(nodes...)
	if got := s.Lines("mirror not started"); len(got) > 0 {
		t.Errorf("mirrors that were not started: got %v", got)
	}
}
