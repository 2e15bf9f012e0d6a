package web

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

func sent(n int64) status.Status {
	return status.Status{Mirrors: []status.Mirror{{Name: "www", Nodes: []status.Node{{Node: "a", BytesSent: n}}}}}
}

func TestHistory(t *testing.T) {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	a := control.Node{Mirror: "www", Node: "a"}
	type look struct {
		after time.Duration
		sent  int64
	}
	for _, tt := range []struct {
		name  string
		looks []look
		want  map[int]int64 // by how many minutes ago
	}{
		{"what was sent before is not of this hour", []look{{0, 500}}, nil},
		{"in one minute", []look{{0, 0}, {10 * time.Second, 5}, {20 * time.Second, 12}}, map[int]int64{0: 12}},
		{"in several", []look{{0, 0}, {10 * time.Second, 5}, {3 * time.Minute, 12}, {4 * time.Minute, 13}}, map[int]int64{4: 5, 1: 7, 0: 1}},
		{"an hour is forgotten", []look{{0, 0}, {10 * time.Second, 5}, {59 * time.Minute, 6}, {60 * time.Minute, 8}}, map[int]int64{1: 1, 0: 2}},
		{"more than one, too", []look{{0, 0}, {10 * time.Second, 5}, {50 * time.Hour, 6}}, map[int]int64{0: 1}},
		{"the counters begin anew", []look{{0, 100}, {time.Minute, 7}}, map[int]int64{0: 7}},
		{"the clock is set back", []look{{0, 0}, {time.Minute, 7}, {-time.Hour, 9}}, map[int]int64{0: 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h history
			for _, l := range tt.looks {
				h.look(sent(l.sent), start.Add(l.after))
			}
			for i, got := range h.of(a) {
				if want := tt.want[minutes-1-i]; got != want {
					t.Errorf("%d minutes ago: got %d bytes, want %d", minutes-1-i, got, want)
				}
			}
		})
	}
	var h history
	h.look(sent(1), start)
	h.look(status.Status{}, start)
	if len(h.nodes) != 0 {
		t.Errorf("nodes that are no more: got %v, want them forgotten", h.nodes)
	}
}

// A chart ends where it began and is as wide as an hour, whatever was sent.
func TestChart(t *testing.T) {
	empty := hour{}
	if got := empty.chart(); got != "" {
		t.Errorf("chart() of nothing: got %q, want none", got)
	}
	one := hour{58: 5, 59: 1000}
	if got, want := one.chart(), "M0 16h58V15h1V0h1V16z"; got != want {
		t.Errorf("chart(): got %q, want %q", got, want)
	}
	step := regexp.MustCompile(`h(\d+)|V(\d+)`)
	rapid.Check(t, func(t *rapid.T) {
		var h hour
		for i := range h {
			h[i] = rapid.Int64Range(0, 1<<62).Draw(t, "bytes") * int64(rapid.IntRange(0, 1).Draw(t, "any"))
		}
		path := h.chart()
		if path == "" {
			return
		}
		wide := 0
		for _, m := range step.FindAllStringSubmatch(path, -1) {
			run, _ := strconv.Atoi(m[1])
			top, _ := strconv.Atoi(m[2])
			wide += run
			if top < 0 || top > chartHeight {
				t.Fatalf("chart() of %v: got %q, which leaves its frame", h, path)
			}
		}
		if wide != minutes {
			t.Fatalf("chart() of %v: got %q, %d wide, want %d", h, path, wide, minutes)
		}
	})
}
