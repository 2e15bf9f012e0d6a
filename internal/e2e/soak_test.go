package e2e_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab"
)

var soakFor = flag.Duration("soak", 20*time.Second, "how long TestSoak lasts")

// sample is what the daemon holds at a time.
type sample struct {
	at         time.Duration
	rss        int // KiB
	goroutines int
	footprint
}

// soak is a site at which changes and troubles do not end.
type soak struct {
	*site
	nodes   []node
	metrics string // URL
	storm   *lab.Storm
	servers []interface {
		Kill()
		Restart() error
	}
	down    bool
	steps   int
	samples []sample
}

// freeAddress is an address on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err, l.Close())
	return l.Addr().String()
}

func (s *soak) text(more string) string {
	return s.config(more+"\nlisten: "+strings.TrimSuffix(strings.TrimPrefix(s.metrics, "http://"), "/metrics"), s.nodes...)
}

// sample looks at the daemon from outside: proc_pid_status(5), and its metrics.
func (s *soak) sample(at time.Duration) {
	s.t.Helper()
	now := sample{at: at, footprint: s.footprint()}
	for line := range strings.Lines(proc(s.PID(), "status")) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			now.rss, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(kib), " kB"))
		}
	}
	answer, err := http.Get(s.metrics)
	must(s.t, err)
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if n, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			now.goroutines, _ = strconv.Atoi(n)
		}
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	if now.rss == 0 || now.goroutines == 0 {
		s.t.Fatalf("a sample of the daemon: got %+v, want it to be alive", now)
	}
	s.samples = append(s.samples, now)
}

// step makes a change, and every so often a trouble. The tree is emptied before
// it is large, for what it costs to watch is not what is looked for.
func (s *soak) step() {
	s.t.Helper()
	s.steps++
	must(s.t, s.storm.Step(1))
	switch {
	case s.steps%1500 == 0:
		entries, err := os.ReadDir(s.src)
		must(s.t, err)
		for _, e := range entries {
			must(s.t, os.RemoveAll(s.path(e.Name())))
		}
	case s.steps%160 == 0:
		s.serve(s.down)
	case s.steps%200 == 0: // another delay
		must(s.t, s.Configure(s.text(fmt.Sprintf("edelay: %dms", 50+s.steps/200%2))), s.Signal(unix.SIGHUP))
	case s.steps%70 == 0: // nothing changes
		must(s.t, s.Signal(unix.SIGHUP))
	}
}

// serve starts what serves the nodes, or ends it.
func (s *soak) serve(up bool) {
	s.t.Helper()
	for _, server := range s.servers {
		if up {
			must(s.t, server.Restart())
		} else {
			server.Kill()
		}
	}
	s.down = !up
}

// TestSoak has changes, nodes that go and come back, and reloads, for as long as
// -soak says, and sees that what the daemon holds does not grow.
func TestSoak(t *testing.T) {
	t.Parallel()
	s := &soak{site: newSite(t), metrics: "http://" + freeAddress(t) + "/metrics"}
	remote, sshd := s.ssh("remote")
	module, d1 := s.module("module", "push")
	open, d2 := s.module("open", "")
	s.nodes = []node{s.local("local"), remote, module, open}
	s.servers = append(s.servers, sshd, d1, d2)
	s.storm = s.site.storm(11)
	program, err := faulty()
	must(t, err)
	s.launch(lab.InosyncdOptions{Binary: program, Dir: s.dir, Config: s.text("")})
	s.wait(1, "watching")

	begin := time.Now()
	pace := time.NewTicker(25 * time.Millisecond) // 40 changes a second
	defer pace.Stop()
	every := max(*soakFor/60, 100*time.Millisecond)
	for elapsed := time.Duration(0); elapsed < *soakFor; elapsed = time.Since(begin) {
		<-pace.C
		s.step()
		if elapsed >= every*time.Duration(len(s.samples)) {
			s.sample(elapsed)
		}
	}
	s.serve(true)
	s.command("resync") // what killed rsyncs have left is swept by the next full sync
	s.same(s.nodes...)
	s.sample(time.Since(begin))
	s.judge()
}

// judge compares the last third with the first.
func (s *soak) judge() {
	s.t.Helper()
	third := len(s.samples) / 3
	if third < 3 {
		s.t.Fatalf("got %d samples in %v: too few", len(s.samples), *soakFor)
	}
	first, last := s.samples[:third], s.samples[len(s.samples)-third:]
	for _, quantity := range []struct {
		name   string
		of     func(sample) int
		margin int // above half as much again
	}{
		{"resident memory in KiB", func(s sample) int { return s.rss }, 16 << 10},
		{"descriptors", func(s sample) int { return s.fds }, 32},
		{"goroutines", func(s sample) int { return s.goroutines }, 32},
		{"child processes", func(s sample) int { return s.children }, 16},
	} {
		median := func(part []sample) int {
			sorted := slices.SortedFunc(slices.Values(part), func(a, b sample) int { return quantity.of(a) - quantity.of(b) })
			return quantity.of(sorted[len(sorted)/2])
		}
		if was, is := median(first), median(last); is > was+was/2+quantity.margin {
			s.t.Errorf("%s: the median is %d in the first third of the time, %d in the last", quantity.name, was, is)
		}
	}
	var table strings.Builder
	row := func(cells ...any) { fmt.Fprintf(&table, "\n%8v %10v %12v %11v %9v %8v", cells...) }
	row("time", "RSS KiB", "descriptors", "goroutines", "children", "watches")
	for i := 0; i < len(s.samples); i += max(1, len(s.samples)/12) {
		n := s.samples[i]
		row(n.at.Round(100*time.Millisecond), n.rss, n.fds, n.goroutines, n.children, n.watches)
	}
	s.t.Logf("%d changes, %d pushes, %d failures%s", s.steps, len(s.Lines("pushed")), len(s.Lines("push failed")), table.String())
}
