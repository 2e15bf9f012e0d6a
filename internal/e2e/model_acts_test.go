package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"inosyncd/internal/control"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

// acts is what can happen, several times each according to how often it should.
var acts = map[string]func(*history){
	"changes 1":        func(h *history) { must(h.t, h.storm.Step(5)) },
	"changes 2":        func(h *history) { must(h.t, h.storm.Step(20)) },
	"changes 3":        func(h *history) { must(h.t, h.storm.Step(60)) },
	"all is the same":  (*history).all,
	"killed":           func(h *history) { h.Kill(); h.run() },
	"killed, away":     func(h *history) { h.Kill(); must(h.t, h.storm.Step(20)); h.run() },
	"stopped":          (*history).stopAndGo,
	"reloaded":         (*history).otherText,
	"reloaded, faulty": func(h *history) { must(h.t, h.Configure("nonsense: 1"), h.Signal(unix.SIGHUP)) },
	"rsync killed":     (*history).killRsync,
	"node down 1":      (*history).nodeDown,
	"node down 2":      (*history).nodeDown,
	"nodes up":         (*history).up,
	"node leaves":      (*history).leave,
	"nodes join":       (*history).join,
	"source away":      (*history).sourceAway,
	"source unmounted": (*history).sourceUnmounted,
	"queue overflows":  (*history).overflow,
	"too many removed": (*history).removeTooMany,
}

func (h *history) stopAndGo() {
	_, err := h.Stop()
	must(h.t, err)
	h.run()
}

func (h *history) otherText() {
	h.turn++
	h.reload(h.text())
}

func (h *history) killRsync() {
	for _, pid := range below(h.PID()) {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// nodeDown ends the server of a node, or fills the node up.
func (h *history) nodeDown() {
	h.turn++
	m := h.nodes[h.turn%len(h.nodes)]
	switch {
	case m.down:
	case m.server != nil:
		m.server.Kill()
		m.down = true
	case m.hog != "":
		f, err := os.Create(m.hog)
		must(h.t, err)
		for err == nil {
			_, err = f.Write(make([]byte, 1<<20))
		}
		if err := f.Close(); err != nil {
			h.t.Fatal(err)
		}
		m.down = true
	}
}

func (h *history) up() {
	h.t.Helper()
	for _, m := range h.nodes {
		switch {
		case !m.down:
		case m.server != nil:
			must(h.t, m.server.Restart())
		default:
			must(h.t, os.Remove(m.hog))
		}
		m.down = false
	}
}

// leave takes a node out of the configuration, which leaves its copy as it is.
func (h *history) leave() {
	if len(h.there()) < 2 {
		return
	}
	h.all()
	var m *member
	for m == nil || m.left {
		h.turn++
		m = h.nodes[h.turn%len(h.nodes)]
	}
	// Not the copy's own state, for pushes that change nothing may still be made:
	// the last one has ended when the configuration is applied.
	before, err := lab.Walk(h.src, lab.CompareOptions{Skip: apart})
	must(h.t, err)
	m.left = true
	h.reload(h.text())
	must(h.t, h.storm.Step(20))
	h.all()
	after, err := lab.Walk(m.dst, lab.CompareOptions{Skip: apart})
	must(h.t, err)
	if !maps.Equal(before, after) {
		h.t.Errorf("the copy of the node %s has changed since it left", m.name)
	}
}

// join has all nodes in the configuration.
func (h *history) join() {
	for _, m := range h.nodes {
		m.left = false
	}
	h.reload(h.text())
}

// sourceAway has another directory in the source's place for a moment.
func (h *history) sourceAway() {
	if h.mounted {
		must(h.t, unix.Unmount(h.src, unix.MNT_DETACH))
		h.mount()
		return
	}
	must(h.t, os.Rename(h.src, h.src+" away"), os.Mkdir(h.src, 0o755))
	must(h.t, os.Remove(h.src), os.Rename(h.src+" away", h.src))
}

// sourceUnmounted leaves an empty directory in the source's place, then one with
// something else in it, and sees that no copy changes.
func (h *history) sourceUnmounted() {
	if !h.mounted {
		return
	}
	h.all()
	h.becomes("watched", func(m status.Mirror) bool { return m.Held == nil }) // again
	must(h.t, unix.Unmount(h.src, unix.MNT_DETACH))
	h.becomes("held", func(m status.Mirror) bool { return m.Held != nil })
	write(h.t, h.path("stray"), "s")
	must(h.t, h.order(control.Resync))
	for _, n := range h.there() {
		if err := lab.WaitConverged(0, lab.CompareOptions{Skip: apart}, h.disk, n.dst); err != nil {
			h.t.Errorf("while the source is not mounted: %v", err)
		}
	}
	must(h.t, os.Remove(h.path("stray")))
	h.mount()
	h.becomes("watched", func(m status.Mirror) bool { return m.Held == nil })
}

// becomes waits until the mirror is as it should be. Mounts make no event; that
// the link on the way to the source is made anew does.
func (h *history) becomes(what string, ok func(status.Mirror) bool) {
	h.t.Helper()
	must(h.t, os.Symlink(h.src, h.way+".new"), os.Rename(h.way+".new", h.way))
	h.eventually(what, ok)
}

// eventually waits until the status of the mirror is as it should be.
func (h *history) eventually(what string, ok func(status.Mirror) bool) {
	h.t.Helper()
	labtest.Eventually(h.t, func() error {
		all, err := control.NewClient(filepath.Join(h.dir, "control")).Status(h.t.Context())
		if err == nil && !ok(all.Mirrors[0]) {
			err = fmt.Errorf("the mirror is not %s: %+v", what, all.Mirrors[0])
		}
		return err
	})
}

// overflow has more happen than the kernel remembers for a daemon that does not
// read: by default 16384 events, see inotify(7). Most are of no interest to it.
func (h *history) overflow() {
	must(h.t, h.Signal(unix.SIGSTOP), h.storm.Step(10))
	for range 6000 {
		f, err := os.Create(h.path("churn.excluded"))
		must(h.t, err, f.Close(), os.Remove(h.path("churn.excluded")))
	}
	must(h.t, h.storm.Step(10), h.Signal(unix.SIGCONT))
}

// removeTooMany removes more than max_delete allows, which has nothing removed
// until it is approved.
func (h *history) removeTooMany() {
	many := h.path("many")
	must(h.t, os.Mkdir(many, 0o755))
	for i := range 8 {
		write(h.t, fmt.Sprintf("%s/%d", many, i), "m")
	}
	h.all()
	h.reload(h.textWith("max_delete: 3"))
	// What vanishes while a full comparison is made may be removed by it, up to max_delete.
	h.eventually("in sync", func(m status.Mirror) bool {
		return !slices.ContainsFunc(m.Nodes, func(n status.Node) bool { return !n.InSync })
	})
	before := len(h.Lines("held"))
	if h.mounted {
		many = h.disk + "/many" // rename(2) fails with EXDEV, even within a file system
	}
	h.turn++
	must(h.t, os.Rename(many, fmt.Sprintf("%s/many%d", h.dir, h.turn))) // one event
	h.wait(before+len(h.there()), "held")
	for _, n := range h.there() {
		if left, err := os.ReadDir(n.dst + "/many"); len(left) != 8 {
			h.t.Errorf("of 8 files that are not to be removed from %s: got %d, %v", n.name, len(left), err)
		}
	}
	labtest.Eventually(h.t, func() error {
		err := h.order(control.Approve) // one that is being tried again holds nothing
		for _, n := range h.there() {
			if exists(n.dst + "/many") {
				return fmt.Errorf("%s/many is there, although its removal was approved: %w", n.dst, err)
			}
		}
		return nil
	})
	h.reload(h.text())
}
