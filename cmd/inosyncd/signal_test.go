package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// timeout(1) sends its signal twice; the second must not cut short what the
// first has begun. A signal that is not caught would end this test's process:
// Tgkill comes back when the thread has taken it.
func TestSignalTwice(t *testing.T) {
	ctx, stop := notifySignals(context.Background(), time.Hour)
	defer stop()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 2 {
		if err := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
	}
	sig, ok := errors.AsType[signalError](context.Cause(ctx))
	if !ok || sig.Signal != syscall.SIGTERM {
		t.Errorf("cause: got %v, want %v", context.Cause(ctx), signalError{syscall.SIGTERM})
	}
}
