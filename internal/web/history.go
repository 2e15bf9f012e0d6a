package web

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

const (
	minutes   = 60               // of the history
	lookEvery = 20 * time.Second // at the counters, so that a minute's bytes are in the right one
)

// history is what was sent to each node, by minutes, since somebody first
// looked. Its methods may be called from any goroutine.
type history struct {
	mu    sync.Mutex
	nodes map[control.Node]*traffic // guarded by mu; those of the last status
}

// traffic is the last hour of a node: a ring, in which a minute is at its
// number since 1970 modulo the length.
type traffic struct {
	sent   int64 // the node's counter when it was last looked at
	minute int64 // of that
	bytes  [minutes]int64
}

// hour is a node's traffic in the last hour, the oldest minute first.
type hour [minutes]int64

// look notes how far the counters have come.
func (h *history) look(s status.Status, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.nodes
	h.nodes = make(map[control.Node]*traffic, len(was))
	for _, m := range s.Mirrors {
		for _, n := range m.Nodes {
			name := control.Node{Mirror: m.Name, Node: n.Node}
			t := was[name]
			if t == nil {
				t = &traffic{sent: n.BytesSent, minute: minuteOf(now)}
			}
			t.look(n.BytesSent, minuteOf(now))
			h.nodes[name] = t
		}
	}
}

// of is the traffic of a node, as it was last looked at.
func (h *history) of(n control.Node) hour {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.nodes[n]
	if t == nil {
		return hour{}
	}
	var all hour
	for i := range all {
		all[i] = t.bytes[(t.minute+1+int64(i))%minutes]
	}
	return all
}

func (t *traffic) look(sent, minute int64) {
	if minute-t.minute >= minutes {
		t.minute = minute - minutes
	}
	for t.minute < minute { // not at all when the clock was set back
		t.minute++
		t.bytes[t.minute%minutes] = 0
	}
	more := sent - t.sent
	if more < 0 {
		more = sent // the counters have begun anew
	}
	t.sent = sent
	t.bytes[t.minute%minutes] += more
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func (h *hour) sum() (sum, most int64) {
	for _, b := range h {
		sum += b
		most = max(most, b)
	}
	return sum, most
}

// chartHeight is that of a chart in its own units; a minute is one wide.
const chartHeight = 16

// chart is the outline of the bars of an hour, as the d of an SVG path; empty
// when nothing was sent.
func (h *hour) chart() string {
	_, most := h.sum()
	if most == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M0 %d", chartHeight)
	at, run := int64(chartHeight), 0
	flush := func() {
		if run > 0 {
			fmt.Fprintf(&b, "h%d", run)
		}
		run = 0
	}
	for _, bytes := range h {
		top := int64(chartHeight)
		if bytes > 0 { // one unit high at least, to be seen
			top -= max(1, int64(float64(bytes)/float64(most)*chartHeight))
		}
		if top != at {
			flush()
			fmt.Fprintf(&b, "V%d", top)
			at = top
		}
		run++
	}
	flush()
	fmt.Fprintf(&b, "V%dz", chartHeight)
	return b.String()
}
