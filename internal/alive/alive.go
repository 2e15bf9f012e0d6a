// Package alive asks goroutines for a sign of life.
//
// A watchdog puts a question to a goroutine that would otherwise be silent. The
// goroutine takes questions wherever it waits, and now and then during long work. So
// an answer proves that it makes progress, and no answer within a generous time that
// it hangs.
//
// # Blocking and shutdown
//
// Only the asking side waits. Questions keep nothing alive: one that nobody takes
// ends with its context.
package alive

import (
	"context"
	"errors"
)

// ErrSilent is returned for a goroutine that has not answered in time.
var ErrSilent = errors.New("no answer")

// Asks is the way from those who ask to one goroutine, which receives from it.
// Any number may ask at once.
type Asks chan struct{}

// New returns an Asks.
func New() Asks { return make(Asks) }

// Ask returns nil when the goroutine has answered, or has ended, which ended
// tells when it is closed: then nothing hangs. Otherwise it returns ErrSilent
// when ctx is done.
func (a Asks) Ask(ctx context.Context, ended <-chan struct{}) error {
	select {
	case a <- struct{}{}:
		return nil
	case <-ended:
		return nil
	case <-ctx.Done():
		return ErrSilent
	}
}

// Answer answers whoever asks now. It is for the middle of long work, costs
// nanoseconds, and does nothing on a nil Asks.
func (a Asks) Answer() {
	select {
	case <-a:
	default:
	}
}
