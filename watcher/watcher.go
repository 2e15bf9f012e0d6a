// Package watcher watches a directory tree and says where to look.
//
// Its events are hints: a [change.Event] names a path at which, or a directory
// below which, something may have changed. The reader finds out what is there. So
// a watcher is right as long as it never misses a change silently: events may be
// late, duplicated, out of order, or about nothing. What was missed, or may have
// been, is emitted as a gap: an event with AllBelow for the smallest directory that
// encloses it.
//
// There are three backends. inotify is the default and sees everything that
// inotify(7) reports. fsnotify and notify use the libraries of these names; they
// lose more events, and make up for it by comparing more often. None of them sees
// writes through a mapping before it is unmapped, writes through a hard link outside
// the tree, changes that other hosts make on a network file system, or what a mount
// over a watched directory brings.
//
// # Ordering
//
// When [Start] returns, every directory is watched: a later change is reported.
// Events of one directory come in the kernel's order. A directory that is new at
// its name, or back at it, is emitted with AllBelow once everything below it is
// watched; the files in it that are still being written follow.
//
// # Blocking
//
// Neither a slow Emit nor a slow disk keeps the kernel's queue from being read.
// Emit is called by one goroutine at a time, also while Start is still at work.
//
// # Shutdown
//
// A watcher runs until Close, or until it ends by itself, closes Done and says why
// in Err. Close must be called in both cases. It waits for the watcher's goroutines
// and leaves no descriptor open.
package watcher

import (
	"context"
	"fmt"
	"log/slog"

	"inosyncd/internal/change"
	"inosyncd/internal/filter"
	"inosyncd/internal/source"
)

// Options say what is watched and where events go.
type Options struct {
	Root      *source.Root  // adopted
	Rules     *filter.Rules // excluded directories get no watch, excluded paths no event
	Mask      uint32        // emask; what following directories needs is added
	Recursive bool          // false: only the root directory itself
	Log       *slog.Logger  // nil discards

	// Emit takes an event. It is called by one goroutine at a time and must
	// not block.
	Emit func(change.Event)
}

// Watcher is a running watcher. Its methods may be called from any goroutine.
type Watcher interface {
	// Stats may be called at any time.
	Stats() Stats

	// Done is closed when watching has ended by itself, because the root is
	// gone or the kernel refused to go on; Err then says why. It wraps
	// source.ErrGone in the first case, and is nil while watching goes on
	// and after a Close.
	Done() <-chan struct{}
	Err() error

	// Alive returns nil when the goroutine that owns the tree has answered,
	// between two events or in the middle of long work, or has ended. It
	// returns an error when ctx is done before that: the goroutine hangs.
	Alive(ctx context.Context) error

	// Close ends watching and waits for the watcher's goroutines. No event
	// is emitted after it has returned. It may be called more than once.
	Close() error
}

// Stats are a watcher's counters.
type Stats struct {
	Watches   int    // directories watched now
	Unwatched int    // directories that could not be watched
	Events    uint64 // events read from the kernel
	Gaps      uint64 // events emitted with AllBelow because something was missed
	Overflows uint64 // overflows of a queue
	Behind    bool   // something was missed whose gap is still to be emitted
}

// Start watches o.Root by the named backend: inotify, fsnotify, notify, or
// auto, which is inotify. It returns when every directory that can be watched
// is watched; one that cannot is logged, counted in Stats and compared on a
// timer. The error wraps source.ErrGone when the root is not there.
//
// ctx ends the setting of watches, which is long in a large tree. What runs
// after that is ended by Close alone.
func Start(ctx context.Context, backend string, o Options) (Watcher, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch backend {
	case "auto", "inotify":
		return startInotify(ctx, o)
	case "fsnotify":
		return startFsnotify(ctx, o)
	case "notify":
		return startNotify(ctx, o)
	}
	return nil, fmt.Errorf("watching %q: no watcher is named %q", o.Root.Path(), backend)
}
