package main

import (
	"testing"

	"inosyncd/config"
)

// TestBandwidth divides what all may use by the pushes that can run at once; a
// node's own limit counts where it is lower.
func TestBandwidth(t *testing.T) {
	for _, tt := range []struct {
		name            string
		total           int64
		parallel, nodes int
		rspeed, want    int64
	}{
		{"no limit", 0, 8, 2, 0, 0},
		{"of the node alone", 0, 8, 2, 100, 100},
		{"of all, fewer nodes than pushes", 600, 8, 2, 0, 300},
		{"of all, more nodes than pushes", 600, 2, 3, 0, 300},
		{"the share is lower", 600, 8, 2, 400, 300},
		{"the node's is lower", 600, 8, 2, 200, 200},
		{"less than a byte for each", 1, 8, 2, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nodes := make([]config.Node, tt.nodes+1) // the last is disabled
			for i := range tt.nodes {
				nodes[i].Enabled = true
			}
			off := config.Mirror{Nodes: []config.Node{{Enabled: true}}}
			l := newLimits(&config.Config{
				RspeedTotal: tt.total, MaxParallel: tt.parallel,
				Mirrors: []config.Mirror{{Enabled: true, Nodes: nodes}, off},
			})
			if got := l.bandwidth(tt.rspeed); got != tt.want {
				t.Errorf("bandwidth(%d): got %d, want %d", tt.rspeed, got, tt.want)
			}
		})
	}
}
