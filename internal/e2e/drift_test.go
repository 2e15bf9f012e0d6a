package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"inosyncd/internal/lab/labtest"
)

const drift = "drift repaired"

// audits waits until n more scheduled comparisons have been made; with the
// source at rest nothing else is pushed.
func (s *site) audits(n int) {
	s.t.Helper()
	s.wait(len(s.Lines("pushed"))+n, "pushed")
}

// TestDriftIsReported changes a node behind the daemon's back.
func TestDriftIsReported(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.Mkdir(s.path("d"), 0o755))
	for _, name := range []string{"d/changed", "d/removed", "kept"} {
		write(t, s.path(name), name)
	}
	written := time.Now()
	s.startSynced(s.config("schedule: '@every 1s'", n), n)
	s.same(n)
	labtest.Eventually(t, func() error {
		if time.Since(written) < 2*time.Second {
			return errors.New("what was just written at the source is no drift")
		}
		return nil
	})
	s.command("pause", n.name) // so that it is all found at once
	write(t, n.dst+"/d/changed", "by somebody")
	write(t, n.dst+"/d/stray\x1b", "by somebody")
	must(t, os.Remove(n.dst+"/d/removed"), os.Chmod(n.dst+"/kept", 0o600))
	s.command("resume", n.name)
	s.same(n)
	s.audits(2)
	sum := map[string]int{}
	for _, line := range s.Lines(drift, "mirror", "site", "node", n.name, "level", "WARN") {
		for _, kind := range []string{"created", "updated", "attributes", "deleted"} {
			count, _ := line.Attrs[kind].(float64)
			sum[kind] += int(count)
		}
	}
	if got, want := fmt.Sprint(sum), "map[attributes:1 created:1 deleted:1 updated:1]"; got != want {
		t.Errorf("lines %q: got %s in all, want %s", drift, got, want)
	}
	if st := s.node(n); st.Repaired != 4 {
		t.Errorf("status: got %d entries repaired, want 4", st.Repaired)
	}
}

// TestChangesAreNoDrift changes the source for as long as comparisons go on.
func TestChangesAreNoDrift(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.Mkdir(s.path("d"), 0o755))
	s.startSynced(s.config("schedule: '@every 1s'", n), n)
	start := time.Now()
	for i := 0; time.Since(start) < 4*time.Second; i++ {
		s.audits(1) // or a push: not too fast
		name := fmt.Sprintf("d/%d", i%7)
		write(t, s.path(name), fmt.Sprint(i))
		switch i % 3 {
		case 0:
			must(t, os.Remove(s.path(name)))
		case 1:
			must(t, os.Chmod(s.path(name), 0o600), os.Rename(s.path(name), s.path("d/other")))
		}
	}
	s.same(n)
	s.audits(2)
	if lines := s.Lines(drift); len(lines) > 0 {
		t.Errorf("changes of the source alone: got %v, want no line %q", lines, drift)
	}
}
