package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// TestRates has nodes behind a line that counts, and limits that make a push take
// some six seconds.
func TestRates(t *testing.T) {
	t.Parallel()
	const size = 1_800_000
	tests := []struct {
		name  string
		keys  string
		nodes int
		limit float64 // bytes a second, of all nodes together
	}{
		{"of a node", "rspeed: 300", 1, 300 << 10},
		{"of all together", "rspeed_total: 600", 2, 600 << 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			must(t, os.WriteFile(s.path("file"), noise(size), 0o644))
			var modules []lab.Module
			var nodes []node
			for i := range tt.nodes {
				n := s.local(fmt.Sprint("copy", i))
				modules = append(modules, lab.Module{Name: fmt.Sprint("m", i), Path: n.dst})
				nodes = append(nodes, n)
			}
			line, err := lab.StartProxy(labtest.Daemon(t, modules...).Port(), lab.ProxyOptions{})
			must(t, err)
			defer line.Close()
			for i := range nodes {
				nodes[i].name = fmt.Sprintf("rsync://127.0.0.1:%d/m%d/", line.Port(), i)
				nodes[i].yaml = fmt.Sprintf("%q", nodes[i].name)
			}
			// Each time is taken so that a machine that is slow fails nothing.
			before := time.Now()
			s.start(s.config(tt.keys, nodes...))
			labtest.Eventually(t, func() error {
				if line.Sent() == 0 {
					return errors.New("nothing was sent")
				}
				return nil
			})
			seen := time.Now()
			for _, n := range nodes {
				s.wait(1, "pushed", "node", n.name)
			}
			bytes := float64(line.Sent())
			if want := float64(tt.nodes * size); bytes < want {
				t.Errorf("bytes on the line: got %.0f, want %.0f or more", bytes, want)
			}
			if got := bytes / time.Since(before).Seconds() / tt.limit; got > 1.2 {
				t.Errorf("the rate is %.2f of the limit", got)
			}
			if got := bytes / time.Since(seen).Seconds() / tt.limit; got < 0.5 {
				t.Errorf("the rate is only %.2f of the limit", got)
			}
		})
	}
}
