package rsync

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// armedNode is a node whose rsyncs write their process numbers to a file.
func armedNode(t *testing.T, kind string, change ...func(*node.Options)) *mirror {
	t.Helper()
	started := filepath.Join(t.TempDir(), "started")
	wrapped := nodetest.Wrap(t, `[ "$1" = --version ] || echo $$ >>`+started+`; exec RSYNC`)
	arm := func(o *node.Options) { o.Armed = make(chan struct{}, 1) }
	n := newNode(t, kind, append([]func(*node.Options){wrapped, arm}, change...)...)
	n.armourer.life, n.armourer.rest = time.Hour, time.Hour // however slow the machine is
	n.started = started
	return n
}

// starts are the numbers of the processes that were started so far.
func (n *mirror) starts() []int {
	n.t.Helper()
	data, err := os.ReadFile(n.started)
	n.do(err)
	var pids []int
	for word := range strings.FieldsSeq(string(data)) {
		pid, err := strconv.Atoi(word)
		n.do(err)
		pids = append(pids, pid)
	}
	return pids
}

// awaitArmed returns the process that is armed, which is the n-th that was
// started.
func (n *mirror) awaitArmed(nth int) int {
	n.t.Helper()
	labtest.Eventually(n.t, func() error {
		if got := len(n.starts()); got < nth || len(n.armourer.ready) == 0 {
			return fmt.Errorf("%d rsyncs were started, want %d and one armed", got, nth)
		}
		return nil
	})
	return n.starts()[nth-1]
}

// awaitStarted returns the n-th process that was started, armed or not.
func (n *mirror) awaitStarted(nth int) int {
	n.t.Helper()
	labtest.Eventually(n.t, func() error {
		if got := len(n.starts()); got < nth {
			return fmt.Errorf("%d rsyncs were started, want %d", got, nth)
		}
		return nil
	})
	return n.starts()[nth-1]
}

func (n *mirror) awaitEnd(pid int) {
	n.t.Helper()
	labtest.Eventually(n.t, func() error {
		if syscall.Kill(pid, 0) == nil {
			return errors.New("the armed rsync still runs")
		}
		return nil
	})
}

func TestArmedIsUsed(t *testing.T) {
	t.Parallel()
	for kind := range nodetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := armedNode(t, kind)
			n.write("d/f", "gone")
			n.full()
			for i := range 3 {
				pid := n.awaitArmed(2 + i)
				n.write(fmt.Sprintf("d/f=%d", i))
				n.must(set("ic d/f"))
				n.equal()
				if syscall.Kill(pid, 0) == nil {
					t.Error("the armed rsync still waits: it was not used")
				}
			}
			n.awaitArmed(5)
			n.remove("gone")
			n.must(set("i gone")) // by another kind of run: the armed one waits on
			n.equal()
			want := 6
			if n.poorHand {
				want++ // the run that has shown it
			}
			if got := len(n.starts()); got != want {
				t.Errorf("rsyncs started for 5 pushes: got %d, want %d", got, want)
			}
		})
	}
}

func TestStaleArmed(t *testing.T) {
	t.Parallel()
	for kind := range nodetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := armedNode(t, kind)
			n.write("f")
			n.full()
			n.do(syscall.Kill(n.awaitArmed(2), syscall.SIGKILL))
			n.write("f=new")
			n.must(set("ic f"))
			n.equal()
		})
	}
}

func TestArmedEnds(t *testing.T) {
	t.Parallel()
	t.Run("replaced while the node is active", func(t *testing.T) {
		n := armedNode(t, "local")
		n.armourer.life = 50 * time.Millisecond
		n.write("f")
		n.full()
		n.awaitEnd(n.awaitArmed(2))
		n.awaitArmed(3)
	})
	t.Run("not replaced afterwards", func(t *testing.T) {
		n := armedNode(t, "local")
		n.armourer.life, n.armourer.rest = 50*time.Millisecond, 0
		n.write("f")
		n.full()
		n.awaitEnd(n.awaitStarted(2)) // it may not be armed any more when it is looked at
		n.awaitDisarmed()
		if got := len(n.starts()); got != 2 {
			t.Errorf("rsyncs started: got %d, want 2", got)
		}
	})
	t.Run("when a push fails", func(t *testing.T) {
		n := armedNode(t, "local")
		n.write("f")
		n.full()
		pid := n.awaitArmed(2)
		n.rename("../src", "../away")
		if res := n.Push(t.Context(), set("ic f")); res.Outcome != push.Hold {
			t.Errorf("Push without a source: got %v, want hold", res.Outcome)
		}
		n.awaitEnd(pid)
		n.awaitDisarmed()
	})
	t.Run("to let the node rest", func(t *testing.T) {
		n := armedNode(t, "local")
		n.write("f")
		n.full()
		pid := n.awaitArmed(2)
		n.Rest()
		n.awaitEnd(pid)
		n.awaitDisarmed()
		n.full() // by one that is started for it
		n.awaitArmed(4)
	})
	t.Run("with the engine", func(t *testing.T) {
		n := armedNode(t, "local")
		n.write("f")
		n.full()
		pid := n.awaitArmed(2)
		n.do(n.Close())
		if syscall.Kill(pid, 0) == nil {
			t.Error("the armed rsync runs after Close")
		}
	})
}

// awaitDisarmed returns when the slot is free again.
func (n *mirror) awaitDisarmed() {
	n.t.Helper()
	labtest.Eventually(n.t, func() error {
		if len(n.armourer.slots) > 0 {
			return errors.New("the slot is taken")
		}
		return nil
	})
}

func TestArmedAreBounded(t *testing.T) {
	t.Parallel()
	slots := make(chan struct{}, 1)
	share := func(o *node.Options) { o.Armed = slots }
	a, b := armedNode(t, "local", share), armedNode(t, "local", share)
	a.write("f")
	b.write("f", "gone")
	a.full()
	a.awaitArmed(2)
	b.full()
	b.awaitReported()
	b.remove("gone")
	b.must(set("i gone"))
	b.awaitReported() // and so the report before has been acted upon
	if len(b.armourer.ready) > 0 {
		t.Error("a second node is armed where there is one slot")
	}
	a.do(a.Close())
	b.write("f=new")
	b.must(set("ic f"))
	b.awaitArmed(4)
}

// awaitReported returns when the last report has been looked at.
func (n *mirror) awaitReported() {
	n.t.Helper()
	labtest.Eventually(n.t, func() error {
		if len(n.armourer.well) > 0 {
			return errors.New("the report was not looked at")
		}
		return nil
	})
}
