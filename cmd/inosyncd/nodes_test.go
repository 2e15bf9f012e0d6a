package main

import (
	"log/slog"
	"slices"
	"testing"

	"inosyncd/config"
)

// TestNodesOf changes a configuration: a node gets another target only where it is
// served in another way, and is compared only where its copy would be another.
func TestNodesOf(t *testing.T) {
	type next struct {
		cfg  config.Mirror
		s    *supervisor
		anew bool
	}
	for _, tt := range []struct {
		name     string
		change   func(n *next)
		targets  string // of the nodes n and o: x one, - none
		compared []string
	}{
		{"nothing", func(*next) {}, "-", nil},
		{"how fast", func(n *next) { n.cfg.Nodes[0].Rspeed = 1 }, "x", nil},
		{"how many removals", func(n *next) { n.cfg.Nodes[0].MaxDelete = 1 }, "x", nil},
		{"what the copy is", func(n *next) { n.cfg.Nodes[0].Checksum = true }, "x", []string{"n"}},
		{"the program", func(n *next) { n.cfg.Rsync = "/other" }, "x", []string{"n"}},
		{"what all share", func(n *next) { n.s.limits = newLimits(&config.Config{MaxParallel: 3}) }, "x", nil},
		{"how it is watched", func(n *next) { n.anew = true }, "x", nil},
		{"a node more", func(n *next) {
			n.cfg.Nodes = append(n.cfg.Nodes, config.Node{Name: "o", Enabled: true})
		}, "-x", []string{"o"}},
		{"a node less", func(n *next) { n.cfg.Nodes[0].Enabled = false }, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, m := waiting(t)
			n := next{cfg: m.cfg, s: newSupervisor(&app{pretend: true})}
			n.cfg.Nodes = slices.Clone(m.cfg.Nodes)
			n.s.limits = newLimits(&config.Config{})
			m.log, m.limits = slog.New(slog.DiscardHandler), n.s.limits
			tt.change(&n)
			o, compare, err := n.s.nodesOf(m, n.cfg, n.anew)
			targets := ""
			for _, no := range o.Nodes {
				targets += map[bool]string{true: "x", false: "-"}[no.Target != nil]
			}
			if err != nil || targets != tt.targets || !slices.Equal(compare, tt.compared) {
				t.Errorf("nodesOf(): got targets %q, to be compared %q, %v; want %q, %q", targets, compare, err, tt.targets, tt.compared)
			}
		})
	}
}

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
