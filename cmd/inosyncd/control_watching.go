package main

import (
	"context"
	"errors"
	"sync"

	"inosyncd/internal/change"
	"inosyncd/internal/status"
	"inosyncd/watcher"
)

// watching is what others may know of how a mirror watches its source. The
// goroutine of its run tells, anybody asks.
type watching struct {
	mu   sync.Mutex
	w    watcher.Watcher // guarded by mu; nil while nothing is watched
	held *status.Hold    // guarded by mu; why the mirror is held
}

// begin says that w watches, and that the full sync that a watch begins
// with is pending.
func (s *watching) begin(w watcher.Watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w, s.held = w, nil
}

// end says that nothing watches any more.
func (s *watching) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w = nil
}

// hold says why nothing is pushed.
func (s *watching) hold(reason, cure string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = &status.Hold{Reason: reason, Cure: cure}
}

func (s *watching) get() (watcher.Watcher, *status.Hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w, s.held
}

// look is the number of watched directories, why the mirror is held, and
// whether everything is watched without a gap.
func (s *watching) look() (watches int, held *status.Hold, covered bool) {
	w, held := s.get()
	if w == nil {
		return 0, held, false
	}
	stats := w.Stats()
	return stats.Watches, held, complete(stats)
}

func complete(s watcher.Stats) bool { return s.Unwatched == 0 && !s.Behind }

var errNotWatched = errors.New("the source is not watched")

// catchUp returns nil when everything that was changed at path or below it
// before it was called is pending, or confirmed already. It writes nothing into
// the source: a watcher that can tell how far it has come is asked for that.
// Where there is none, or not all is watched, nobody knows what was missed, so
// path is compared.
func (m *mirror) catchUp(ctx context.Context, path string) error {
	w, _ := m.seen.get()
	if w == nil {
		return errNotWatched
	}
	if s, ok := w.(watcher.Syncer); ok {
		err := s.Sync(ctx)
		if err == nil && complete(w.Stats()) {
			return nil
		}
		if errors.Is(err, watcher.ErrEnded) || ctx.Err() != nil {
			return err
		}
	}
	m.queue.Add(change.Event{Path: path, AllBelow: true})
	return nil
}
