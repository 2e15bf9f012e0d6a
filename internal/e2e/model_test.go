package e2e_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"inosyncd/internal/control"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

var histories = flag.Int("histories", 12, "random histories that TestModel plays")

// lanes is how many play histories side by side: most of one is waiting.
const lanes = 6

// setting is where a history happens.
type setting struct {
	kinds   []string // of nodes
	mounted bool     // the source is a mount
	seed    uint64   // of the storm
}

// history is a site on which one thing after another happens.
type history struct {
	*site
	setting
	nodes []*member
	storm *lab.Storm
	disk  string // what is mounted as the source; "": nothing
	way   string // a link to the source, which wpath names
	turn  int    // counts what there is a choice of
}

// member is a node and how it stands.
type member struct {
	node
	server interface { // nil: none
		Kill()
		Restart() error
	}
	hog  string // a file that fills up the node; "": there is none such
	down bool   // the server is, or the node is full
	left bool   // it is not in the configuration
}

// play has a history happen on a new site and compares the nodes at its end.
func play(t *testing.T, at setting, names []string) {
	h := &history{site: newSite(t), setting: at}
	if slices.Contains(at.kinds, "small") || at.mounted {
		labtest.PrivateMounts(t)
	}
	outside := filepath.Join(h.dir, "outside")
	if h.mounted {
		h.disk, outside = filepath.Join(h.dir, "disk"), "" // rename(2) fails with EXDEV
		must(t, os.Mkdir(h.disk, 0o755))
		h.mount()
	}
	h.way = filepath.Join(h.dir, "way")
	must(t, os.Symlink(h.src, h.way))
	h.storm = h.stormTo(at.seed, outside)
	for i, kind := range at.kinds {
		h.nodes = append(h.nodes, h.member(kind, fmt.Sprint(kind, i)))
	}
	must(t, h.storm.Step(30))
	h.mark()
	h.run()
	for _, name := range names {
		acts[name](h)
	}
	h.join()
	h.all()
	h.unmoved()
}

// member makes a node of that kind.
func (h *history) member(kind, name string) *member {
	switch kind {
	case "ssh":
		n, d := h.ssh(name)
		return &member{node: n, server: d}
	case "module":
		n, d := h.module(name, "push")
		return &member{node: n, server: d}
	case "open":
		n, d := h.module(name, "")
		return &member{node: n, server: d}
	case "small":
		disk := filepath.Join(h.dir, name)
		must(h.t, os.Mkdir(disk, 0o755), unix.Mount("tmpfs", disk, "tmpfs", 0, "size=32m"))
		return &member{node: h.local(name + "/copy"), hog: disk + "/hog"}
	}
	return &member{node: h.local(name)}
}

// text is the configuration, in one of several forms.
func (h *history) text() string {
	return h.textWith([]string{"edelay: 0", "edelay: 50ms", "max_armed: 0", "edelay: 100ms\npush_rate: 10"}[h.turn%4])
}

func (h *history) textWith(more string) string {
	text := h.config(more+"\nrexcludes: ['*.excluded']", h.there()...)
	return strings.Replace(text, fmt.Sprintf("wpath: %q", h.src), fmt.Sprintf("wpath: %q", h.way), 1)
}

// there are the nodes in the configuration.
func (h *history) there() []node {
	var nodes []node
	for _, m := range h.nodes {
		if !m.left {
			nodes = append(nodes, m.node)
		}
	}
	return nodes
}

// run starts the daemon, as a supervisor does when it has ended.
func (h *history) run() {
	h.t.Helper()
	h.start(h.text())
	// Before that, HUP is the end of it.
	h.wait(1, "watching")
}

// reload applies a configuration and waits until it is, so that the next one's
// line in the log is not taken for this one's.
func (h *history) reload(text string) {
	h.t.Helper()
	before := len(h.Lines("configuration reloaded"))
	must(h.t, h.Configure(text), h.Signal(unix.SIGHUP))
	h.wait(before+1, "configuration reloaded")
}

// all has every node equal the source.
func (h *history) all() {
	h.t.Helper()
	h.up()
	for _, n := range h.there() {
		must(h.t, lab.WaitConverged(labtest.Limit, lab.CompareOptions{Skip: apart}, h.src, n.dst))
	}
}

// mark puts excluded files into the source and into the copies.
func (h *history) mark() {
	write(h.t, h.path("here.excluded"), "the source's own")
	for _, m := range h.nodes {
		write(h.t, m.dst+"/there.excluded", "the node's own")
	}
}

// unmoved sees that excluded files have stayed where they were.
func (h *history) unmoved() {
	h.t.Helper()
	for _, m := range h.nodes {
		found, err := lab.Walk(m.dst, lab.CompareOptions{Skip: reserved})
		must(h.t, err)
		for path := range found {
			if strings.HasSuffix(path, ".excluded") && path != "there.excluded" {
				h.t.Errorf("%q is excluded and on the node %s", path, m.name)
			}
		}
		holds(h.t, m.dst+"/there.excluded", "the node's own")
	}
}

// apart is what no copy has to have.
func apart(path string, dir bool) bool {
	return reserved(path, dir) || strings.HasSuffix(path, ".excluded")
}

func (h *history) mount() { must(h.t, unix.Mount(h.disk, h.src, "", unix.MS_BIND, "")) }

// order has the daemon do something to every node in the configuration.
func (h *history) order(o control.Order) error {
	var names []string
	for _, n := range h.there() {
		names = append(names, n.name)
	}
	_, err := control.NewClient(filepath.Join(h.dir, "control")).Order(h.t.Context(), o, names)
	return err
}

// TestModel plays random histories of changes and faults. However they went, in
// the end the nodes equal the source. -histories=300 plays so many; one that
// fails is made short, and comes with the flags that play it again.
func TestModel(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync", "ssh", "ssh-keygen", "sshd")
	kinds := []string{"local"}
	if os.Geteuid() == 0 {
		kinds = []string{"local", "module", "open", "ssh", "small"}
	}
	names := slices.Sorted(maps.Keys(acts))
	for lane := range lanes {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			played := 0
			rapid.Check(t, func(rt *rapid.T) {
				at := setting{
					kinds:   rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 4).Draw(rt, "nodes"),
					mounted: os.Geteuid() == 0 && rapid.Bool().Draw(rt, "mounted"),
					seed:    rapid.Uint64Range(0, 1<<20).Draw(rt, "storm"),
				}
				history := rapid.SliceOfN(rapid.SampledFrom(names), 2, 8).Draw(rt, "history")
				played++
				if !t.Run(fmt.Sprint(played), func(t *testing.T) { play(t, at, history) }) {
					rt.Fatalf("a history at %+v: %s", at, strings.Join(history, "; "))
				}
			})
		})
	}
}
