package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

// command runs a command on the running daemon and returns what it printed.
func (s *site) command(args ...string) string {
	s.t.Helper()
	code, out := inosyncd(s.t, append(args, "-c", s.ConfigFile())...)
	if code != 0 {
		s.t.Errorf("inosyncd %q: got exit code %d and %q, want 0", args, code, out)
	}
	return out
}

// node is how a node stands.
func (s *site) node(n node) status.Node {
	s.t.Helper()
	var all status.Status
	must(s.t, json.Unmarshal([]byte(s.command("status", "--json")), &all))
	for _, m := range all.Mirrors {
		for _, now := range m.Nodes {
			if now.Node == n.name {
				return now
			}
		}
	}
	s.t.Fatalf("inosyncd status: no node %q", n.name)
	return status.Node{}
}

// isHeld waits until a node is held, with a cure and something pending; in
// between, it is tried again.
func (s *site) isHeld(n node) {
	s.t.Helper()
	labtest.Eventually(s.t, func() error {
		now := s.node(n)
		if now.State != status.Held || now.InSync || now.Pending == 0 || now.Held == nil || now.Held.Cure == "" {
			return fmt.Errorf("status of the node: got %+v, want it held with a cure, and something pending", now)
		}
		return nil
	})
}

// TestSourceReplacedByALink has the path of the source lead elsewhere, and then
// to the source again.
func TestSourceReplacedByALink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, s.path("kept"), "k")
	look := s.startPair("", n)
	s.same(n)

	away, elsewhere := s.dir+"/away", s.dir+"/elsewhere"
	must(t, os.Mkdir(elsewhere, 0o755))
	write(t, elsewhere+"/impostor", "i")
	must(t, os.Rename(s.src, away), os.Symlink(elsewhere, s.src))
	s.wait(1, held, "mirror", "site")
	look()
	if exists(n.dst+"/impostor") || !exists(n.dst+"/kept") {
		t.Error("the directory that a link leads to was taken for the source")
	}
	write(t, away+"/new", "n")
	must(t, os.Remove(s.src), os.Symlink(away, s.src))
	holds(t, n.dst+"/new", "n")
	write(t, s.path("later"), "l")
	holds(t, n.dst+"/later", "l")
}

// TestEmptySourceAtTheStart starts on an empty directory whose node is not
// empty: so looks a volume that was not mounted.
func TestEmptySourceAtTheStart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, n.dst+"/kept", "k")
	s.start(s.config("", n))
	s.wait(1, "held", "node", n.name)
	s.command("resync")
	s.isHeld(n)
	if !exists(n.dst + "/kept") {
		t.Fatal("a source that was empty from the start emptied its node")
	}
	s.command("approve", n.name)
	s.same(n)
}

// TestEmptySourceFills starts like that too. Something that comes into the source
// does not make it right; when all has come back it goes on by itself.
func TestEmptySourceFills(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, n.dst+"/kept", "k")
	s.start(s.config("retry_max: 10m", n))
	s.wait(1, "held", "node", n.name)
	write(t, s.path("stray"), "s")
	holds(t, n.dst+"/stray", "s")
	s.command("resync")
	s.isHeld(n)
	if !exists(n.dst + "/kept") {
		t.Fatal("a source with a stray file in it emptied its node")
	}
	write(t, s.path("kept"), "k")
	s.command("wait")
	s.same(n)
}

// startPlain starts the daemon without the privilege to pass by permissions
// (capabilities(7)), which only root has.
func (s *site) startPlain(config string) {
	s.t.Helper()
	program := binary
	if os.Geteuid() == 0 {
		labtest.Need(s.t, "setpriv")
		const no = "-dac_override,-dac_read_search"
		program = s.dir + "/plain"
		write(s.t, program, fmt.Sprintf("#!/bin/sh\nexec setpriv --bounding-set=%s --inh-caps=%s -- '%s' \"$@\"\n", no, no, binary))
		must(s.t, os.Chmod(program, 0o755))
	}
	s.launch(lab.InosyncdOptions{Binary: program, Dir: s.dir, Config: config})
}

// TestUnreadableSource takes the permission to read away, first of a directory,
// then of the source itself.
func TestUnreadableSource(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.Mkdir(s.path("d"), 0o755), os.Mkdir(s.path("e"), 0o755))
	for _, name := range []string{"d/a", "d/b", "e/f"} {
		write(t, s.path(name), name)
	}
	s.startPlain(s.config("", n))
	s.wait(1, "pushed", "node", n.name)
	s.same(n)

	t.Cleanup(func() { _ = os.Chmod(s.path("d"), 0o755); _ = os.Chmod(s.src, 0o755) })
	must(t, os.Chmod(s.path("d"), 0))
	s.command("resync") // compares everything that can be read
	l := s.wait(1, "push failed", "node", n.name)
	if !strings.Contains(fmt.Sprint(l.Attrs["err"]), "ermission denied") {
		t.Errorf("the failure in the log: got %v, want that permission was denied", l.Attrs)
	}
	if os.Geteuid() == 0 {
		write(t, s.path("d/b"), "by one who may")
	}
	for _, name := range []string{"e/g", "e/h"} { // the push of the first is over when the second comes
		write(t, s.path(name), "the rest goes on")
		holds(t, n.dst+"/"+name, "the rest goes on")
	}
	if !exists(n.dst+"/d/a") || !exists(n.dst+"/d/b") {
		t.Error("what cannot be read was taken for missing")
	}
	must(t, os.Chmod(s.path("d"), 0o755), os.Remove(s.path("d/a")))
	s.same(n)

	must(t, os.Chmod(s.src, 0))
	s.wait(1, held, "mirror", "site")
	s.command("resync")
	if !exists(n.dst + "/d/b") {
		t.Error("an unreadable source was taken for an empty one")
	}
	must(t, os.Chmod(s.src, 0o755))
	write(t, s.path("later"), "l")
	s.same(n)
}
