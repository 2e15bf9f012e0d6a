package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// history is a site on which one thing after another happens.
type history struct {
	*site
	nodes  []node
	daemon *lab.Daemon // serves one of the nodes; nil where there is none such
	down   bool        // the daemon is
	storm  *lab.Storm
	turn   int // counts the configurations
}

// acts is what can happen, several times each according to how often it should.
var acts = map[string]func(*history){
	"changes 1": func(h *history) { must(h.t, h.storm.Step(5)) },
	"changes 2": func(h *history) { must(h.t, h.storm.Step(20)) },
	"changes 3": func(h *history) { must(h.t, h.storm.Step(60)) },
	"all is the same": func(h *history) {
		h.up()
		h.same(h.nodes...)
	},
	"killed":       func(h *history) { h.Kill(); h.run() },
	"killed, away": func(h *history) { h.Kill(); must(h.t, h.storm.Step(20)); h.run() },
	"stopped": func(h *history) {
		_, err := h.Stop()
		must(h.t, err)
		h.run()
	},
	"reloaded": func(h *history) {
		h.turn++
		must(h.t, h.Configure(h.text()), h.Signal(unix.SIGHUP))
	},
	"reloaded, faulty": func(h *history) {
		must(h.t, h.Configure("nonsense: 1"), h.Signal(unix.SIGHUP))
	},
	"rsync killed": func(h *history) {
		for _, pid := range below(h.PID()) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	},
	"node down": func(h *history) {
		if h.daemon != nil && !h.down {
			h.daemon.Kill()
			h.down = true
		}
	},
	"node up": (*history).up,
	"source away": func(h *history) {
		must(h.t, os.Rename(h.src, h.src+" away"), os.Mkdir(h.src, 0o755))
		must(h.t, os.Remove(h.src), os.Rename(h.src+" away", h.src))
	},
}

func (h *history) up() {
	if h.down {
		must(h.t, h.daemon.Restart())
		h.down = false
	}
}

// text is the configuration, in one of several forms.
func (h *history) text() string {
	more := []string{"edelay: 0", "edelay: 50ms", "max_armed: 0", "edelay: 300ms\npush_rate: 5"}
	return h.config(more[h.turn%len(more)], h.nodes...)
}

// run starts the daemon, as a supervisor does when it has ended.
func (h *history) run() {
	h.t.Helper()
	h.start(h.text())
	// Before that, HUP is the end of it.
	h.wait(1, "watching")
}

// play has a history happen on a new site and compares the nodes at its end.
func play(t *testing.T, kinds []string, seed uint64, names []string) {
	s := newSite(t)
	h := &history{site: s, storm: s.storm(seed)}
	for i, kind := range kinds {
		name := fmt.Sprint(kind, i)
		switch {
		case kind == "ssh":
			n, _ := s.ssh(name)
			h.nodes = append(h.nodes, n)
		case kind == "module" && h.daemon == nil && os.Geteuid() == 0:
			n, d := s.module(name, "push")
			h.nodes, h.daemon = append(h.nodes, n), d
		default:
			h.nodes = append(h.nodes, s.local(name))
		}
	}
	must(t, h.storm.Step(30))
	h.run()
	for _, name := range names {
		acts[name](h)
	}
	h.up()
	must(t, h.Configure(h.text()), h.Signal(unix.SIGHUP))
	h.same(h.nodes...)
}

// TestModel plays random histories of changes and faults. However they went, in
// the end the nodes equal the source.
func TestModel(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync", "ssh", "ssh-keygen", "sshd")
	names := slices.Sorted(maps.Keys(acts))
	played := 0
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"local", "module", "ssh"}), 1, 3).Draw(rt, "nodes")
		seed := rapid.Uint64Range(0, 1<<20).Draw(rt, "storm")
		history := rapid.SliceOfN(rapid.SampledFrom(names), 3, 12).Draw(rt, "history")
		played++
		ok := t.Run(fmt.Sprint(played), func(t *testing.T) { play(t, kinds, seed, history) })
		if !ok {
			rt.Fatalf("a history of %v with storm %d: %s", kinds, seed, strings.Join(history, "; "))
		}
	})
}
