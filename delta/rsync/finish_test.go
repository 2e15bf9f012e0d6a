package rsync

import (
	"context"
	"errors"
	"testing"

	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/lab/labtest"
)

// Whether a push is overdue is asked of its rsync, as long as it has one.
func TestOverdueAsksTheRun(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", nodetest.Wrap(t, `[ "$1" = --version ] && exec RSYNC; exec sleep 1000`))
	n.write("f")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.Push(ctx, set("ic f"))
	}()
	labtest.Eventually(t, func() error {
		if n.running.Load() == nil {
			return errors.New("no rsync runs")
		}
		return nil
	})
	if err := n.Overdue(); err != nil {
		t.Errorf("Overdue while rsync may run: got %v", err)
	}
	cancel()
	<-ended
	if n.running.Load() != nil || n.Overdue() != nil {
		t.Errorf("after the push: got a process or %v, want neither", n.Overdue())
	}
}
