package watcher

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
)

// TestAlive wants an answer of a watcher that turns, and none of one whose
// Emit does not return.
func TestAlive(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		dir := t.TempDir()
		entered, held := make(chan struct{}, 1), make(chan struct{})
		w, err := s.start(t.Context(), Options{Root: adopted(t, dir), Recursive: true, Log: slog.New(slog.DiscardHandler), Emit: func(change.Event) {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-held
		}})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(when string, within time.Duration, want error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			if err := w.Alive(ctx); !errors.Is(err, want) {
				t.Errorf("Alive() %s: got %v, want %v", when, err, want)
			}
		}
		for range 5 { // more often than it turns by itself after its start
			ask("at rest", labtest.Limit, nil)
		}
		if err := os.Mkdir(filepath.Join(dir, "new"), 0o755); err != nil {
			t.Fatal(err)
		}
		<-entered
		ask("while Emit hangs", 50*time.Millisecond, alive.ErrSilent)
		close(held)
		ask("afterwards", labtest.Limit, nil)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		ask("closed", labtest.Limit, nil)
	})
}

// TestAliveAtWork wants an answer in the middle of a descent, which can take
// minutes: between two directories it looks whether it is to end.
func TestAliveAtWork(t *testing.T) {
	m := &model{alive: alive.New()}
	ctx, cancel := context.WithTimeout(t.Context(), labtest.Limit)
	defer cancel()
	asked := make(chan error, 1)
	go func() { asked <- m.alive.Ask(ctx, nil) }()
	for {
		m.quitting()
		select {
		case err := <-asked:
			if err != nil {
				t.Errorf("Ask() of a model at work: got %v, want nil", err)
			}
			return
		default:
		}
	}
}
