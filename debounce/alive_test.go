package debounce

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
)

// TestAlive wants an answer of a loop that turns, and none of one whose out
// does not return.
func TestAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		l := Start(Options{Delay: time.Second}, func(*change.Set) { <-held })
		ask := func(when string, want error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := l.Alive(ctx); !errors.Is(err, want) {
				t.Errorf("Alive() %s: got %v, want %v", when, err, want)
			}
		}
		ask("at rest", nil)
		l.AddAll()
		ask("before the delay has passed", nil)
		time.Sleep(2 * time.Second)
		ask("while out hangs", alive.ErrSilent)
		close(held)
		ask("afterwards", nil)
		l.Close()
		ask("closed", nil)
	})
}
