package e2e_test

import (
	"fmt"
	"os"
	"testing"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

const held = "mirror held: nothing is deleted anywhere"

// startPair starts the daemon with the mirror "site" and with another one beside
// it. look has the other one's source go and come back, and returns when the
// daemon has noticed: by then it has also seen what became of the first one's.
func (s *site) startPair(more string, n node) (look func()) {
	s.t.Helper()
	other, away := s.dir+"/other", s.dir+"/other away"
	must(s.t, os.Mkdir(other, 0o755))
	s.start(s.keys(more) + fmt.Sprintf("mirrors:\n  - {name: site, wpath: %q, rnodes: [%s]}\n  - {name: other, wpath: %q, rnodes: [%s]}\n",
		s.src, n.yaml, other, s.local("other node").yaml))
	s.wait(1, "pushed", "mirror", "site")
	s.wait(1, "pushed", "mirror", "other")
	return func() {
		s.t.Helper()
		must(s.t, os.Rename(other, away))
		s.wait(1, held, "mirror", "other")
		must(s.t, os.Rename(away, other))
		s.wait(2, "mirror watched", "mirror", "other")
		if got := len(s.Lines(held, "mirror", "other")); got != 1 {
			s.t.Errorf("a source that was gone once: got %d lines in the log", got)
		}
	}
}

// TestSourceGone renames the source away, has another in its place, and brings
// it back. Nothing is deleted on the way, and all is sent at the end.
func TestSourceGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, s.path("kept"), "k")
	write(t, s.path("removed"), "r")
	look := s.startPair("", n)
	s.same(n)

	away := s.dir + "/away"
	must(t, os.Rename(s.src, away))
	s.wait(1, held, "mirror", "site")
	labtest.Eventually(t, func() error { // though nothing is pending for it
		if now := s.node(n); now.State != status.Held || now.InSync || now.Held == nil || now.Held.Cure == "" {
			return fmt.Errorf("status of the node: got %+v, want it held, with a cure", now)
		}
		return nil
	})
	must(t, os.Mkdir(s.src, 0o755))
	write(t, s.path("impostor"), "i")
	look()
	if len(s.Lines("mirror watched", "mirror", "site")) != 1 || exists(n.dst+"/impostor") || !exists(n.dst+"/kept") {
		t.Error("another directory at the path of the source was taken for it")
	}

	must(t, os.Remove(away+"/removed"))
	write(t, away+"/new", "n")
	must(t, os.RemoveAll(s.src), os.Rename(away, s.src))
	s.same(n) // with what was changed while it was away
	write(t, s.path("later"), "l")
	holds(t, n.dst+"/later", "l")
}

// TestReloadIsNoAdoption changes how a source is watched while another directory is
// in its place: that does not become the source.
func TestReloadIsNoAdoption(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, s.path("kept"), "k")
	s.startSynced(s.config("", n), n)
	s.same(n)

	away := s.dir + "/away"
	must(t, os.Rename(s.src, away), os.Mkdir(s.src, 0o755))
	write(t, s.path("impostor"), "i")
	s.wait(1, held, "mirror", "site")
	s.reload(s.config("rexcludes: [/nothing]", n))
	labtest.Eventually(t, func() error {
		holds, watched := len(s.Lines(held)), len(s.Lines("mirror watched"))
		if holds+watched < 3 {
			return fmt.Errorf("held %d times and watched %d times, want one more", holds, watched)
		}
		return nil
	})
	if got := len(s.Lines("mirror watched")); got != 1 {
		t.Fatalf("watches: got %d, want the first: another directory was taken for the source", got)
	}
	must(t, os.RemoveAll(s.src), os.Rename(away, s.src))
	write(t, s.path("new"), "n")
	s.same(n)
}

// TestSourceRemoved removes the source for good, with all that was in it, before
// the removal of its files was due.
func TestSourceRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.Mkdir(s.path("d"), 0o755))
	write(t, s.path("d/file"), "f")
	look := s.startPair("edelay: 2", n)
	holds(t, n.dst+"/d/file", "f")

	must(t, os.RemoveAll(s.src))
	s.wait(1, held, "mirror", "site")
	must(t, os.Mkdir(s.src, 0o755)) // empty, as the place of a lost mount
	look()
	_, err := s.Stop()
	must(t, err)
	if !exists(n.dst + "/d/file") {
		t.Error("a source that is gone emptied its node")
	}
}

// TestRemovedMirror takes one of two mirrors out of the configuration: its node
// gets nothing more and loses nothing, and the other one's is served.
func TestRemovedMirror(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, s.path("kept"), "k")
	s.startPair("edelay: 0", n)
	other := s.local("other node")
	must(t, os.Remove(s.path("kept")))
	write(t, s.path("last"), "l")
	s.same(n)

	s.reload(s.keys("edelay: 0") + fmt.Sprintf("mirrors:\n  - {name: other, wpath: %q, rnodes: [%s]}\n", s.dir+"/other", other.yaml))
	s.wait(1, "mirror removed: its copies are left as they are", "mirror", "site")
	write(t, s.path("unsent"), "u")
	must(t, os.Remove(s.path("last")))
	for _, name := range []string{"one", "two", "three"} { // each after a push of what was there
		write(t, s.dir+"/other/"+name, name)
		holds(t, other.dst+"/"+name, name)
	}
	if !exists(n.dst+"/last") || exists(n.dst+"/unsent") {
		t.Error("the copy of a mirror that was removed is not as it was left")
	}
}
