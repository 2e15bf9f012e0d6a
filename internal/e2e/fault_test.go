package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/control"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/leak"
)

var faultsEvery = flag.Int("faults.every", 16, "TestFaultPoints takes every so many-th passage; 1: all")

// faulty is the daemon without the race detector: for its many runs here, and for
// its memory. Like binary it has its fault points, see package fault.
var faulty = sync.OnceValues(func() (string, error) {
	dir := filepath.Dir(binary) + "/faulty"
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	return lab.BuildInosyncd(context.Background(), dir, "-tags", "faultpoints")
})

// faultRun is one playing of the history with a fault in it.
type faultRun struct {
	*site
	nodes  []node
	daemon *lab.Daemon // serves the second of the nodes
}

// faultSteps are the history. Files called big are replaced as a whole, so that
// no reader ever has cause to see a part of one.
var faultSteps = []func(*faultRun){
	func(r *faultRun) {
		write(r.t, r.path("new"), "1")
		r.replaceBig("b")
	},
	func(r *faultRun) { must(r.t, os.Rename(r.path("dir"), r.path("moved"))) },
	// Looks the same by size and time, so it is compared by content. It is the
	// same: what differed would be lost with the daemon that knows it was written,
	// unless checksum is set.
	func(r *faultRun) {
		st, err := os.Stat(r.path("moved/one"))
		must(r.t, err)
		write(r.t, r.path("moved/one"), "1")
		must(r.t, os.Chtimes(r.path("moved/one"), st.ModTime(), st.ModTime()))
	},
	func(r *faultRun) { // a node fails meanwhile
		r.daemon.Kill()
		must(r.t, os.Remove(r.path("new")), os.RemoveAll(r.path("moved/sub")))
		_, _ = r.WaitLog(labtest.Limit, 1, "push failed", "node", r.nodes[1].name) // or it was killed
		must(r.t, r.daemon.Restart())
	},
	func(r *faultRun) {
		must(r.t, r.Configure(r.text("edelay: 30ms")))
		_ = r.Signal(unix.SIGHUP) // it may have ended
		r.replaceBig("c")
	},
	func(r *faultRun) {
		write(r.t, r.path("last"), "1")
		_, err := r.Stop()
		must(r.t, err)
	},
}

func newFaultRun(t *testing.T) *faultRun {
	r := &faultRun{site: newSite(t)}
	module, daemon := r.module("module", "")
	r.nodes, r.daemon = []node{r.local("local"), module}, daemon
	must(t, os.MkdirAll(r.path("dir/sub"), 0o755))
	write(t, r.path("dir/one"), "1")
	write(t, r.path("dir/sub/two"), "2")
	r.replaceBig("a")
	return r
}

func (r *faultRun) text(more string) string {
	return r.config(more+"\npush_rate: 1000\nretry_min: 50ms\nretry_max: 200ms", r.nodes...)
}

// replaceBig puts a new version of the large file in place.
func (r *faultRun) replaceBig(letter string) {
	temp := r.dir + "/big"
	write(r.t, temp, strings.Repeat(letter, bigSize))
	must(r.t, os.Rename(temp, r.path("big")))
}

const bigSize = 300_000

// startFaulty starts the daemon with the fault, "" being none.
func (r *faultRun) startFaulty(what string) {
	r.t.Helper()
	program, err := faulty()
	must(r.t, err)
	r.launch(lab.InosyncdOptions{
		Binary: program, Dir: r.dir, Config: r.text("edelay: 20ms"), Env: []string{"INOSYNCD_FAULT=" + what},
	})
}

// ended reports whether the daemon has.
func (r *faultRun) ended() bool {
	_, err := r.Wait(0)
	return err == nil
}

// differ compares the nodes with the source, once.
func (r *faultRun) differ(nodes ...node) error {
	for _, n := range nodes {
		if err := lab.WaitConverged(0, lab.CompareOptions{Skip: reserved}, r.src, n.dst); err != nil {
			return err
		}
	}
	return nil
}

// play plays the history to its end, or to that of the daemon. It reports
// whether the fault was reached.
func (r *faultRun) play(what string) bool {
	r.t.Helper()
	r.startFaulty(what)
	settled := func() {
		r.t.Helper()
		labtest.Eventually(r.t, func() error {
			if r.ended() {
				return nil
			}
			return r.differ(r.nodes...)
		})
	}
	if _, err := r.WaitLog(labtest.Limit, 1, "watching"); err != nil && !r.ended() {
		r.t.Fatal(err)
	}
	settled()
	for _, step := range faultSteps {
		if r.ended() {
			break
		}
		step(r)
		settled()
	}
	return strings.Contains(r.Log(), "fault: "+strings.Split(what, ":")[1])
}

// orphaned waits for the rsyncs of the killed daemon to end. What they still do
// is nothing that a new daemon could know of.
func (r *faultRun) orphaned() {
	r.t.Helper()
	labtest.Eventually(r.t, func() error {
		left := append(withArgument(r.nodes[0].name), withArgument(r.nodes[1].name)...)
		served := withArgument(filepath.Dir(r.daemon.LogFile()) + "/rsyncd.conf")
		if len(left) > 0 || len(served) > 1 {
			return fmt.Errorf("there are still the processes %v, and %v of the rsync daemon", left, served)
		}
		return nil
	})
}

// recover starts the daemon again. It says that a node is in sync no sooner than
// it is, and comes to say it of all.
func (r *faultRun) recover() {
	r.t.Helper()
	r.orphaned()
	r.startFaulty("")
	client := control.NewClient(filepath.Join(r.dir, "control"))
	labtest.Eventually(r.t, func() error {
		all, err := client.Status(r.t.Context())
		if err != nil {
			return err // it is not there yet
		}
		missing := len(r.nodes)
		for _, m := range all.Mirrors {
			for i, n := range m.Nodes {
				if !n.InSync {
					continue
				}
				missing--
				if err := r.differ(r.nodes[i]); err != nil {
					r.t.Fatalf("%s is said to be in sync: %v", n.Node, err)
				}
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d nodes are not in sync", missing)
		}
		return nil
	})
}

// guard looks at the large files of the nodes all the time, until stop is
// called: each is a whole version.
func (r *faultRun) guard() (stop func()) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		whole := map[string]fs.FileInfo{}
		for {
			for _, n := range r.nodes {
				if err := partial(n.dst, whole); err != nil {
					r.t.Error(err)
					return
				}
			}
			select {
			case <-quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return func() { close(quit); wg.Wait() }
}

// partial is about a file below dir that is called big and no whole version, but
// for where rsync keeps such files. What is in whole was, and is not read again
// before it is another file or has changed.
func partial(dir string, whole map[string]fs.FileInfo) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it was there a moment ago
		}
		if reserved(path, d.IsDir()) {
			return fs.SkipDir
		}
		if d.Name() != "big" {
			return nil
		}
		st, err := d.Info()
		if err != nil || whole[path] != nil && unchanged(whole[path], st) {
			return nil //nolint:nilerr // as above
		}
		text, err := os.ReadFile(path)
		if err == nil && (len(text) != bigSize || bytes.Count(text, text[:1]) != bigSize) {
			return fmt.Errorf("%q is a part of a file, of %d bytes", path, len(text))
		}
		whole[path] = st
		return nil
	})
}

// unchanged reports whether two looks at a file saw the same: inode(7).
func unchanged(before, now fs.FileInfo) bool {
	a, b := before.Sys().(*syscall.Stat_t), now.Sys().(*syscall.Stat_t)
	return a.Ino == b.Ino && a.Size == b.Size && a.Ctim == b.Ctim
}

// TestFaultPoints kills the daemon at each step of a short history, and has each
// step fail that can: -faults.every=1. Otherwise it takes some of them, from a
// random one on.
func TestFaultPoints(t *testing.T) {
	t.Parallel()
	passed := countPassages(t, "kill")
	for _, name := range pointNames(t) {
		if !passed[name] {
			t.Errorf("the history does not pass the fault point %q", name)
		}
	}
	for _, effect := range []string{"kill", "fail"} {
		t.Run(effect, func(t *testing.T) {
			t.Parallel()
			offset := 1 + rand.IntN(*faultsEvery)
			t.Logf("every %d-th passage from the %d-th on: -faults.every=1 takes all", *faultsEvery, offset)
			var wg sync.WaitGroup
			defer wg.Wait()
			turns := make(chan struct{}, 3) // runs at once; most of one is waiting
			done := make(chan struct{})     // a run has not reached its passage
			once := sync.OnceFunc(func() { close(done) })
			for n := offset; ; n += *faultsEvery {
				select {
				case <-done:
					return
				case turns <- struct{}{}:
				}
				wg.Go(func() {
					defer func() { <-turns }()
					what := fmt.Sprintf("%d:%s", n, effect)
					t.Run(what, func(t *testing.T) {
						if !playFault(t, what) {
							once()
						}
					})
				})
			}
		})
	}
}

// playFault reports whether the fault was reached.
func playFault(t *testing.T, what string) bool {
	r := newFaultRun(t)
	stop := r.guard()
	defer stop()
	reached := r.play(what)
	r.recover()
	return reached || t.Failed()
}

// countPassages plays the history without a fault and returns the points that
// can have the effect.
func countPassages(t *testing.T, effect string) map[string]bool {
	r := newFaultRun(t)
	r.play("0:" + effect)
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^fault: passed \d+ (.*)$`).FindAllStringSubmatch(r.Log(), -1) {
		names[m[1]] = true
	}
	return names
}

// pointNames are the points that the source has.
func pointNames(t *testing.T) []string {
	t.Helper()
	var names []string
	calls := regexp.MustCompile(`fault\.(?:Point|Fail)\("([^"]+)"\)`)
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range calls.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
		return err
	})
	must(t, err)
	if len(names) < 20 {
		t.Fatalf("points of the source: found %d, want more: is it still read rightly?", len(names))
	}
	return names
}

// TestNoFaultPoints sees that an ordinary build knows nothing of fault points.
func TestNoFaultPoints(t *testing.T) {
	program, err := lab.BuildInosyncd(t.Context(), t.TempDir())
	must(t, err)
	ordinary, err := os.ReadFile(program)
	must(t, err)
	other, err := os.ReadFile(binary)
	must(t, err)
	for _, trace := range append(pointNames(t), "INOSYNCD_FAULT", "inosyncd/internal/fault.", leak.Dir, "inosyncd/internal/leak.") {
		if bytes.Contains(ordinary, []byte(trace)) {
			t.Errorf("an ordinary build contains %q", trace)
		}
		if !bytes.Contains(other, []byte(trace)) {
			t.Errorf("the build of the other tests does not contain %q", trace)
		}
	}
}
