package process

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"inosyncd/internal/lab/labtest"
)

// TestOverdue looks at a process from before it is told to end until it has.
func TestOverdue(t *testing.T) {
	labtest.Need(t, "sleep")
	sleep, _ := exec.LookPath("sleep")
	var p *Process
	ask := func(when string, overdue bool) {
		t.Helper()
		if err := p.Overdue(); (err != nil) != overdue {
			t.Errorf("Overdue() %s: got %v, want an error: %v", when, err, overdue)
		}
	}
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, err = Start(ctx, Spec{
		Program: sleep, Args: []string{"1000"}, Dir: dir,
		Attr: &syscall.SysProcAttr{Setpgid: true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask("while it runs", false)
	longAgo := time.Now().Add(-2 * endLimit)
	p.told.Store(&longAgo)
	ask("long after it was told to end", true)
	cancel()
	p.Finish(nil, 0)
	if told := p.told.Load(); told == nil || !told.After(longAgo) {
		t.Errorf("told: got %v, want the time of its cancellation", told)
	}
	ask("after its end", false)
}
