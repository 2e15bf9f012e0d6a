package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
)

func syncTime(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), labtest.Limit)
	t.Cleanup(cancel)
	return ctx
}

// What was done before Sync is emitted when it returns, nobody waits for it.
func TestSync(t *testing.T) {
	tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, nil)
	defer tr.w.Close()
	for i := range 50 {
		dir := fmt.Sprintf("d%d", i)
		tr.must(os.MkdirAll(tr.path(dir+"/e"), 0o755))
		tr.must(os.WriteFile(tr.path(dir+"/e/file"), []byte("x"), 0o600))
		tr.must(os.Rename(tr.path(dir+"/e/file"), tr.path(dir+"/moved")))
		tr.must(tr.w.(Syncer).Sync(syncTime(t)))
		if !tr.covers(dir+"/e/file") || !tr.covers(dir+"/moved") {
			t.Fatalf("Sync(): got %v emitted, want what was done in %s", tr.events, dir)
		}
	}
}

// An overflow may swallow the mark. Sync then waits for the gap.
func TestSyncOverflow(t *testing.T) {
	times := shortTiming()
	times.queue = 1 // drops whatever is read
	start := func(ctx context.Context, o Options) (Watcher, error) {
		return startWithQueue(ctx, t, o, 0, times)
	}
	tr := newTrial(t, t.TempDir(), start, Options{Recursive: true}, nil)
	defer tr.w.Close()
	for i := range 5 {
		name := fmt.Sprintf("f%d", i)
		tr.must(os.WriteFile(tr.path(name), []byte("x"), 0o600))
		tr.must(tr.w.(Syncer).Sync(syncTime(t)))
		if !tr.covers(name) {
			t.Fatalf("Sync() after an overflow: got %v emitted, want a gap over %q", tr.events, name)
		}
	}
	if !tr.has(change.Event{AllBelow: true}) {
		t.Errorf("Sync() after an overflow: got %v emitted, want a gap", tr.events)
	}
}

func TestSyncEnds(t *testing.T) {
	tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.w.(Syncer).Sync(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Sync(cancelled): got %v, want nil or %v", err, context.Canceled)
	}
	tr.must(tr.w.Close())
	if err := tr.w.(Syncer).Sync(syncTime(t)); !errors.Is(err, ErrEnded) {
		t.Errorf("Sync() after Close: got %v, want %v", err, ErrEnded)
	}
}
