package web

import (
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

// states are all that inosyncd_node_state has.
var states = []status.State{status.Pending, status.Syncing, status.Success, status.Failed, status.Held}

// metrics answers with the daemon's metrics and those of its process.
func (s *Server) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		newCollector(s.daemon, s.build),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(),
	)
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4,
		ErrorHandling:       promhttp.ContinueOnError, // one bad name does not hide the others
	})
}

// series is a metric of every mirror or every node.
type series[T any] struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(T) (v float64, ok bool)
}

// collector makes the metrics from the status when they are asked for, so they
// say the same as the page does.
type collector struct {
	daemon  Daemon
	build   prometheus.Metric
	started *prometheus.Desc
	state   *prometheus.Desc
	mirror  []series[status.Mirror]
	node    []series[status.Node]
}

func newCollector(d Daemon, b Build) *collector {
	build := prometheus.NewDesc("inosyncd_build_info", "Version, commit and Go version of the program; always 1.",
		[]string{"version", "commit", "goversion"}, nil)
	return &collector{
		daemon: d,
		build: prometheus.MustNewConstMetric(build, prometheus.GaugeValue, 1,
			label(b.Version), label(b.Commit), runtime.Version()),
		started: prometheus.NewDesc("inosyncd_start_time_seconds", "When the daemon started, in seconds since the epoch.", nil, nil),
		state: prometheus.NewDesc("inosyncd_node_state", "1 for the state the node is in, 0 for the others.",
			[]string{"mirror", "node", "state"}, nil),
		mirror: ofMirror(),
		node:   ofNode(),
	}
}

func ofMirror() []series[status.Mirror] {
	type mirror = status.Mirror
	const gauge = prometheus.GaugeValue
	return []series[mirror]{
		{
			desc("watches", "Watched directories.", "mirror"),
			gauge, number(func(m mirror) float64 { return float64(m.Watches) }),
		},
		{
			desc("mirror_held", "1 when the mirror is held because its source is gone.", "mirror"),
			gauge, number(func(m mirror) float64 { return truth(m.Held != nil) }),
		},
	}
}

func ofNode() []series[status.Node] {
	type node = status.Node
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	var all []series[node]
	add := func(name, help string, kind prometheus.ValueType, value func(node) (float64, bool)) {
		all = append(all, series[node]{desc(name, help, "mirror", "node"), kind, value})
	}
	add("node_in_sync", "1 when the node has confirmed every change made so far.",
		gauge, number(func(n node) float64 { return truth(n.InSync) }))
	add("node_lag_seconds", "Age of the oldest change the node has not confirmed.",
		gauge, number(func(n node) float64 { return n.LagSeconds }))
	add("node_backlog_paths", "Paths the node has not confirmed.",
		gauge, number(func(n node) float64 { return float64(n.Pending) }))
	add("node_last_success_timestamp_seconds", "When a push to the node last succeeded.",
		gauge, moment(func(n node) *time.Time { return n.LastSuccess }))
	add("node_last_full_sync_timestamp_seconds", "When a full sync of the node last succeeded.",
		gauge, moment(func(n node) *time.Time { return n.LastFullSync }))
	add("node_last_verified_timestamp_seconds", "When the node was last found equal to the source by content.",
		gauge, moment(func(n node) *time.Time { return n.LastVerified }))
	add("node_next_try_timestamp_seconds", "When a failed or held node is tried again.",
		gauge, moment(func(n node) *time.Time { return n.NextTry }))
	add("pushes_total", "Finished pushes, failed ones included.",
		counter, number(func(n node) float64 { return float64(n.Pushes) }))
	add("push_failures_total", "Pushes that failed.",
		counter, number(func(n node) float64 { return float64(n.Failures) }))
	add("bytes_sent_total", "Bytes sent to the node.",
		counter, number(func(n node) float64 { return float64(n.BytesSent) }))
	add("deletes_total", "Entries removed from the node.",
		counter, number(func(n node) float64 { return float64(n.Deleted) }))
	add("drift_repaired_total", "Entries that scheduled full syncs found different although no change was pending.",
		counter, number(func(n node) float64 { return float64(n.Repaired) }))
	return all
}

func number[T any](f func(T) float64) func(T) (float64, bool) {
	return func(of T) (float64, bool) { return f(of), true }
}

// moment is a time in seconds since 1970. For never there is no value: 0 would
// be a time.
func moment[T any](f func(T) *time.Time) func(T) (float64, bool) {
	return func(of T) (float64, bool) {
		t := f(of)
		if t == nil {
			return 0, false
		}
		return float64(t.UnixMilli()) / 1000, true
	}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("inosyncd_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.daemon.Status()
	out <- c.build
	out <- constant(c.started, prometheus.GaugeValue, float64(s.Started.UnixMilli())/1000)
	for _, m := range s.Mirrors {
		runs := false
		for _, n := range m.Nodes {
			if c.daemon.Runs(control.Node{Mirror: m.Name, Node: n.Node}) {
				c.collectNode(out, m, n)
				runs = true
			}
		}
		if !runs {
			continue // it would look as if it were in trouble
		}
		for _, s := range c.mirror {
			s.collect(out, m, m.Name)
		}
	}
}

func (c *collector) collectNode(out chan<- prometheus.Metric, m status.Mirror, n status.Node) {
	for _, s := range c.node {
		s.collect(out, n, m.Name, n.Node)
	}
	for _, st := range states {
		out <- constant(c.state, prometheus.GaugeValue, truth(n.State == st), m.Name, n.Node, string(st))
	}
}

func (s series[T]) collect(out chan<- prometheus.Metric, of T, labels ...string) {
	if v, ok := s.value(of); ok {
		out <- constant(s.desc, s.kind, v, labels...)
	}
}

func constant(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) prometheus.Metric {
	for i := range labels {
		labels[i] = label(labels[i])
	}
	return prometheus.MustNewConstMetric(d, kind, v, labels...)
}

// label is text that a label may have: UTF-8.
func label(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
