package rsync

import (
	"errors"
	"os"
	"path/filepath"
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
	n := newNode(t, "daemon", func(o *node.Options) { o.Bandwidth = 250 << 10 })
	n.write("a="+strings.Repeat("x", 1<<20), "b")
	pushed := make(chan push.Result)
	go func() { pushed <- n.Push(t.Context(), set("ic a", "ic b")) }()
	labtest.Eventually(t, func() error { // then the list is made, and b is next
		temps, err := filepath.Glob(n.dst + "/.a.*")
		if len(temps) == 0 {
			return errors.Join(err, errors.New("rsync has not begun"))
		}
		return nil
	})
	n.do(os.Remove(n.src + "/b"))
	n.do(unix.Mkfifo(n.src+"/b", 0o644))
	res := <-pushed
	if res.Outcome != push.Again || !errors.Is(res.Err, errFifo) {
		t.Errorf("Push: got %v, %v; want again, for the FIFO", res.Outcome, res.Err)
	}
	n.must(set("ic a", "ic b"))
	n.equal()
}
