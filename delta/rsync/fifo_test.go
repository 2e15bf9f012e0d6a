package rsync

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// A file that becomes a FIFO when rsync has it in its list, and not yet open,
// does not block it for long. What it has become is sent by the next push.
func TestFifoOnTheWay(t *testing.T) {
	t.Parallel()
	for name, marks := range map[string][]string{
		"listed":               {"ic d/a", "ic d/b"},
		"of a whole directory": {"a d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if marks[0] == "a d" && !wchanTells() {
				t.Skip("needs a kernel that tells what a process waits for")
			}
			n := newNode(t, "daemon", func(o *node.Options) { o.Bandwidth = 250 << 10 })
			n.write("d/a="+strings.Repeat("x", 1<<20), "d/b")
			pushed := make(chan push.Result)
			go func() { pushed <- n.Push(t.Context(), set(marks...)) }()
			labtest.Eventually(t, func() error { // then the list is made, and b is next
				temps, err := filepath.Glob(n.dst + "/d/.a.*")
				if len(temps) == 0 {
					return errors.Join(err, errors.New("rsync has not begun"))
				}
				return nil
			})
			n.do(os.Remove(n.src + "/d/b"))
			n.do(unix.Mkfifo(n.src+"/d/b", 0o644))
			res := <-pushed
			if res.Outcome != push.Again || !errors.Is(res.Err, errFifo) {
				t.Errorf("Push: got %v, %v; want again, for the FIFO", res.Outcome, res.Err)
			}
			n.must(set(marks...))
			n.equal()
		})
	}
}

// wchanTells reports whether the kernel names the functions that processes sleep
// in: some thread of this one always sleeps.
func wchanTells() bool {
	files, _ := filepath.Glob("/proc/self/task/*/wchan")
	return slices.ContainsFunc(files, func(file string) bool {
		at, _ := os.ReadFile(file)
		return len(at) > 1 // and not "0"
	})
}
