package e2e_test

import (
	"fmt"
	"testing"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/leak"
)

// TestChildrenAreBounded has many nodes that are all busy. No more processes run
// than max_parallel and max_armed allow together, but for those whose push is done
// and that only end, as many as max_armed: see push.Reported.
func TestChildrenAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var nodes []node
	var dsts []string
	for i := range 8 {
		n := s.local(fmt.Sprint("local", i))
		nodes, dsts = append(nodes, n), append(dsts, n.dst)
	}
	const parallel, armed = 2, 1
	s.startSynced(s.config(fmt.Sprintf("max_parallel: %d\nmax_armed: %d\nedelay: 0\npush_rate: 1000", parallel, armed), nodes...), nodes...)
	storm, most := s.storm(12), 0
	for range 10 {
		must(t, storm.Step(30))
		labtest.Eventually(t, func() error {
			most = max(most, len(leak.Children(s.PID())))
			return lab.WaitConverged(0, lab.CompareOptions{Skip: reserved}, s.src, dsts...)
		})
	}
	t.Logf("processes at once: %d", most)
	if bound := parallel + 2*armed; most > bound {
		t.Errorf("processes at once: got %d, want at most %d", most, bound)
	}
	if most == 0 {
		t.Error("processes at once: got none: the test shows nothing")
	}
}
