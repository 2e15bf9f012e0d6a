package watcher

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A history is a random list of changes to a tree in which everything has few
// names, so that directories meet, replace and swallow each other. After it
// every difference between before and after has to be covered, every directory
// watched, and a write into each heard of.

// step is one change. a and b are paths in the root; which is used how depends
// on what.
type step struct {
	what int
	a, b string
}

const kindsOfStep = 9

func (tr *trial) do(s step) {
	a, b := tr.path(s.a), tr.path(s.b)
	out := tr.path("../" + strings.ReplaceAll(s.b, "/", "-"))
	// Most steps are impossible where they are tried: nothing is done then.
	switch s.what {
	case 0, 1:
		_ = os.MkdirAll(a, 0o755)
	case 2:
		_ = os.WriteFile(a, []byte(s.b), 0o600)
	case 3, 4:
		_ = unix.Rename(a, b)
	case 5:
		_ = os.RemoveAll(a)
	case 6:
		_ = unix.Rename(a, out)
	case 7:
		_ = unix.Rename(out, a)
	case 8:
		_ = unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	}
}

// drawSteps draws a history; intn returns a number below n.
func drawSteps(intn func(n int) int) []step {
	path := func() string {
		names := make([]string, 1+intn(4))
		for i := range names {
			names[i] = string('a' + rune(intn(4)))
		}
		return strings.Join(names, "/")
	}
	steps := make([]step, 1+intn(200))
	for i := range steps {
		steps[i] = step{intn(kindsOfStep), path(), path()}
	}
	return steps
}

// snapshot is what stands at every path of the root.
func (tr *trial) snapshot() map[string]string {
	tr.t.Helper()
	shot := map[string]string{}
	tr.must(filepath.WalkDir(tr.path(""), func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == tr.path("") {
			return err
		}
		rel := strings.TrimPrefix(path, tr.path("")+"/")
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		shot[rel] = fmt.Sprint(d.Type(), st.Ino)
		if d.Type().IsRegular() {
			shot[rel] += fmt.Sprint(st.Size, st.Mtim)
		}
		return nil
	}))
	return shot
}

// wantDifferences waits until everything that differs between two snapshots is
// covered: what is there now by its path, what is gone by that of the topmost
// thing that is.
func (tr *trial) wantDifferences(before, after map[string]string) {
	tr.t.Helper()
	var paths []string
	for path, what := range after {
		if before[path] != what {
			paths = append(paths, path)
		}
	}
	for path := range before {
		_, there := after[path]
		parent := filepath.Dir(path)
		if !there && (parent == "." || strings.HasPrefix(after[parent], "d")) {
			paths = append(paths, path)
		}
	}
	tr.wantCovered(paths)
}

// live runs a history that has begun with some other one.
func (tr *trial) live(steps []step) {
	tr.t.Helper()
	before := tr.snapshot()
	for _, s := range steps {
		tr.do(s)
	}
	after := tr.snapshot()
	tr.wantWatches(len(tr.directories()))
	tr.barrier()
	tr.wantDifferences(before, after)
	tr.wantAllWatched()
}

// history makes a history in dir, which the seed determines.
func history(t *testing.T, dir string, start starter, seed uint64) Stats {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	intn := rand.New(rand.NewPCG(seed, 0)).IntN
	tr := newTrial(t, dir, start, Options{Recursive: true}, func(tr *trial) {
		for _, s := range drawSteps(intn) {
			tr.do(s)
		}
	})
	defer tr.w.Close()
	tr.live(drawSteps(intn))
	tr.take()
	tr.live(drawSteps(intn))
	tr.close()
	return tr.w.Stats()
}

func TestHistories(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		rounds, start := 1, s.start
		if s.exact {
			rounds, start = 25, startShort
		}
		dir := t.TempDir()
		for i := range rounds {
			history(t, filepath.Join(dir, strconv.Itoa(i)), start, rand.Uint64())
		}
	})
}

// TestHistoriesThatOverflow has queues that overflow most of the time: they
// are short, and their readers have to wait for the test.
func TestHistoriesThatOverflow(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, tt := range []struct {
		name   string
		kernel int // events in the kernel's queue; 0: as many as always
		own    int // bytes in the watcher's own
	}{
		{"the kernel's, of 16 events", 16, queueLimit},
		{"its own, of 20 events", 0, 20 * 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			times := shortTiming()
			times.queue = tt.own
			dir, overflows := t.TempDir(), uint64(0)
			for i := range 10 {
				overflows += history(t, filepath.Join(dir, strconv.Itoa(i)), func(ctx context.Context, o Options) (Watcher, error) {
					return startWithQueue(ctx, t, o, tt.kernel, times)
				}, rand.Uint64()).Overflows
			}
			if overflows == 0 {
				t.Error("there was no overflow")
			}
			t.Logf("%d overflows", overflows)
		})
	}
}
