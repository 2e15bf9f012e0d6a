package watcher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/alive"
	"inosyncd/internal/fault"
)

// inotify is the default backend: one inotify descriptor, a reader goroutine
// that only moves bytes from the kernel into a bounded queue, and a model
// goroutine that owns the tree of directories and emits.
type inotify struct {
	cancel context.CancelFunc // ends the model, which ends the reader
	quit   <-chan struct{}    // closed by cancel
	wg     sync.WaitGroup     // the reader and the model
	count  *counters
	asks   chan<- chan<- error // see Sync
	alive  alive.Asks          // the model answers
	done   chan struct{}       // closed by the model when it ends by itself
	err    error               // why; set before done is closed
}

// counters are shared by the model, which writes them, and Stats.
type counters struct {
	watches, unwatched      atomic.Int64
	events, gaps, overflows atomic.Uint64
	behind                  atomic.Bool
}

// timing is what the tests shorten.
type timing struct {
	limbo  time.Duration // how long a directory that was moved away keeps its watches
	retry  time.Duration // period in which unwatched directories are compared
	second time.Duration // when a new file that nobody closed is looked at again
	pace   time.Duration // least time between the end of a resync and the next
	queue  int           // bound of the queue, in bytes
}

func usualTiming() timing {
	return timing{
		limbo:  200 * time.Millisecond,
		retry:  time.Minute,
		second: time.Second,
		pace:   100 * time.Millisecond,
		queue:  queueLimit,
	}
}

func startInotify(ctx context.Context, o Options) (Watcher, error) {
	fd, err := initInotify()
	if err != nil {
		return nil, fmt.Errorf("watching %q: %w", o.Root.Path(), err)
	}
	return runInotify(ctx, o, fd, usualTiming())
}

// initInotify opens an inotify descriptor. inotify_init(2) says EMFILE of two
// limits, so the error names both.
func initInotify() (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	switch {
	case err == nil:
		return fd, nil
	case errors.Is(err, unix.EMFILE):
		limit := readSysctl("max_user_instances")
		err = fmt.Errorf("%w: fs.inotify.max_user_instances (now %d) or the limit of open files is reached", err, limit)
	}
	return -1, fmt.Errorf("opening inotify: %w", err)
}

// runInotify takes over fd and sets the watches.
func runInotify(ctx context.Context, o Options, fd int, times timing) (Watcher, error) {
	kernel, err := newReader(fd)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watching %q: %w", o.Root.Path(), err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &inotify{cancel: cancel, count: &counters{}, done: make(chan struct{})}
	q := newQueue(times.queue)
	m := newModel(o, fd, q, w.count, times, running.Done())
	w.asks, w.quit, w.alive = m.marks.asks, running.Done(), m.alive
	w.wg.Go(func() { kernel.pump(q) })

	release := context.AfterFunc(ctx, cancel)
	err = m.setUp()
	if !release() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		cancel()
		kernel.close()
		w.wg.Wait()
		return nil, fmt.Errorf("watching %q: %w", o.Root.Path(), err)
	}
	w.wg.Go(func() {
		defer kernel.close()
		defer func() { fault.Watches(fd, len(m.byWd)) }()
		if err := m.run(); err != nil {
			w.err = fmt.Errorf("watching %q: %w", o.Root.Path(), err)
			close(w.done)
		}
	})
	return w, nil
}

func (w *inotify) Stats() Stats {
	return Stats{
		Watches:   int(w.count.watches.Load()),
		Unwatched: int(w.count.unwatched.Load()),
		Events:    w.count.events.Load(),
		Gaps:      w.count.gaps.Load(),
		Overflows: w.count.overflows.Load(),
		Behind:    w.count.behind.Load(),
	}
}

// Alive implements Watcher.
func (w *inotify) Alive(ctx context.Context) error {
	select {
	case <-w.done:
		return nil
	default:
		return w.alive.Ask(ctx, w.quit)
	}
}

func (w *inotify) Done() <-chan struct{} { return w.done }

func (w *inotify) Err() error {
	select {
	case <-w.done:
		return w.err
	default:
		return nil
	}
}

func (w *inotify) Close() error {
	w.cancel()
	w.wg.Wait()
	return nil
}
