package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFlood makes many files quickly. With no delay of events in the way, it is
// the pace of pushes that keeps them few.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	s.startSynced(s.config("edelay: 0\npush_rate: 1\npush_burst: 1", n), n)

	before, begin := s.runs(), time.Now()
	for i := range 5000 {
		dir := s.path(fmt.Sprintf("d%02d", i%50))
		must(t, os.MkdirAll(dir, 0o755))
		write(t, filepath.Join(dir, fmt.Sprint(i)), fmt.Sprint(i))
	}
	s.same(n)
	// Counted before the time is taken, for they go on. The burst, and one a second;
	// each push is at most three runs.
	pushes, runs := len(s.Lines("pushed"))-1, s.runs()-before
	most := 1 + int(time.Since(begin)/time.Second) + 1
	t.Logf("5000 files: %d pushes, %d runs of rsync in %v", pushes, runs, time.Since(begin))
	if pushes > most || runs > 3*most {
		t.Errorf("5000 files: got %d pushes and %d runs of rsync, want at most %d pushes", pushes, runs, most)
	}
}

// TestExcludedChangesStartNothing churns where nobody looks.
func TestExcludedChangesStartNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.MkdirAll(s.path("cache/deep"), 0o755), os.Mkdir(s.path("d"), 0o755))
	write(t, n.dst+"/kept.swp", "the node's own")
	s.start(s.config("edelay: 0\nrexcludes: [/cache/, '*.swp']", n), "-v") // has a line for a push of nothing, too
	s.wait(1, "pushed")
	pushes, runs := len(s.Lines("pushed")), s.runs()

	for i := range 300 {
		write(t, s.path("cache/deep/file"), fmt.Sprint(i))
		must(t, os.MkdirAll(s.path(fmt.Sprintf("cache/deep/%d/x", i)), 0o755))
		write(t, s.path("d/editor.swp"), fmt.Sprint(i))
		must(t, os.Remove(s.path("d/editor.swp")))
	}
	// Events keep their order: when this is there, what was before is done.
	write(t, s.path("marker"), "m")
	holds(t, n.dst+"/marker", "m")
	s.wait(pushes+1, "pushed")
	// The marker's creation and its close may fall into two pushes.
	if got := len(s.Lines("pushed")) - pushes; got > 2 || s.runs()-runs > 3*2 {
		t.Errorf("300 rounds of excluded changes: got %d pushes, %d runs of rsync, want those of the marker", got, s.runs()-runs)
	}
	if exists(n.dst+"/cache") || !exists(n.dst+"/kept.swp") {
		t.Errorf("excluded paths: got cache sent: %t, kept.swp kept: %t", exists(n.dst+"/cache"), exists(n.dst+"/kept.swp"))
	}
}

// TestPretend calls no rsync and says what it would do.
func TestPretend(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	write(t, s.path("a"), "a")
	s.start(s.config("", n), "-p")
	s.wait(1, "would push", "mirror", "site", "node", n.name)
	must(t, os.Mkdir(s.path("d"), 0o755))
	write(t, s.path("d/odd\nname"), "x")
	must(t, os.Remove(s.path("a")))
	for _, path := range []string{"a", "d"} {
		s.eventuallyListed(path)
	}
	if got := s.runs(); got != 0 || exists(n.dst+"/a") || exists(n.dst+"/d") {
		t.Errorf("with -p: got %d runs of rsync, want none, and the node as it was", got)
	}
	if got := s.Lines("pushed"); len(got) > 0 {
		t.Errorf("with -p: got %q in the log, though nothing was pushed", got[0].Msg)
	}
	for _, l := range s.Lines("would push") {
		list, _ := l.Attrs["list"].([]any)
		if got := fmt.Sprint(l.Attrs["paths"]); got != fmt.Sprint(len(list)) {
			t.Errorf("would push: got paths=%s and a list of %d", got, len(list))
		}
	}
}

// eventuallyListed waits for a line that would push the path.
func (s *site) eventuallyListed(path string) {
	s.t.Helper()
	for n := 1; ; n++ {
		list, _ := s.wait(n, "would push").Attrs["list"].([]any)
		for _, p := range list {
			if p == path {
				return
			}
		}
	}
}
