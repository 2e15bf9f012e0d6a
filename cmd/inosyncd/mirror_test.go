package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/config"
	"inosyncd/debounce"
	"inosyncd/fanout"
	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
	"inosyncd/internal/source"
)

// TestAstrayIsAlwaysAnError has the source back before anybody has looked.
func TestAstrayIsAlwaysAnError(t *testing.T) {
	m := &mirror{root: source.New(t.TempDir())}
	if err := m.root.Adopt(); err != nil {
		t.Fatal(err)
	}
	if err := m.astray(); !errors.Is(err, source.ErrGone) {
		t.Errorf("astray(): got %v, want ErrGone", err)
	}
}

// pushed is a target that has everything at once, and shows what that was.
type pushed chan *change.Set

func (p pushed) Push(ctx context.Context, set *change.Set) push.Result {
	select {
	case p <- set:
	case <-ctx.Done():
	}
	return push.Result{}
}

func (pushed) Rest() {}

func (pushed) Close() error { return nil }

// next is the set of the next push.
func (p pushed) next(t *testing.T) *change.Set {
	t.Helper()
	select {
	case set := <-p:
		return set
	case <-time.After(labtest.Limit):
		t.Fatal("no push, want one")
		return nil
	}
}

// unwatched is a mirror that is there and nobody watches, of one node. The queue
// keeps what it gets.
func unwatched(t *testing.T, watcher string) (*mirror, pushed) {
	t.Helper()
	cfg := config.Mirror{Name: "www", WPath: t.TempDir() + "/", Watcher: watcher, Mask: change.DefaultMask, Recursive: true, Enabled: true}
	node := make(pushed, 100)
	m := &mirror{
		cfg: cfg, watched: cfg, log: slog.New(slog.DiscardHandler), root: source.New(cfg.WPath),
		nodes:     fanout.New(fanout.Options{Nodes: []fanout.NodeOptions{{Name: "n", Target: node, Rate: 1000, Burst: 1000}}}),
		schedules: make(chan string, 1),
	}
	m.queue = debounce.Start(debounce.Options{Mask: cfg.Mask, Delay: time.Hour}, m.nodes.Add)
	t.Cleanup(func() {
		m.queue.Close()
		m.nodes.Close()
	})
	if err := m.root.Adopt(); err != nil {
		t.Fatal(err)
	}
	return m, node
}

// A full sync that began before the watches would miss what changes between the
// two. So none begins where none can be set.
func TestNoFullSyncWithoutWatches(t *testing.T) {
	m, node := unwatched(t, "of no such name")
	if err := m.watch(t.Context(), func() { t.Error("ready, want an error") }); err == nil {
		t.Fatal("watch(): got nil, want an error")
	}
	if !m.nodes.Drain(t.Context()) || len(node) > 0 {
		t.Errorf("without watches: got %d pushes, want none", len(node))
	}
}

// Every watch begins with a full sync. One on schedule takes along what is
// pending, which is a change and no drift.
func TestWatchBeginsWithAFullSync(t *testing.T) {
	m, node := unwatched(t, "auto")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() { done <- m.watch(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatalf("watch(): got %v, want it to watch", err)
	case <-time.After(labtest.Limit):
		t.Fatal("watch() is not ready")
	}
	if set := node.next(t); !set.IsFull() {
		t.Errorf("the first push: got a part of the tree, want all of it")
	}
	m.queue.Add(change.Event{Path: "f", Mask: unix.IN_CLOSE_WRITE})
	m.schedules <- "@every 1s"
	for set := node.next(t); !set.IsFull(); {
		set = node.next(t)
	}
	if n := m.queue.Len(); n != 0 {
		t.Errorf("in the queue after a full sync on schedule: got %d paths, want none", n)
	}
	cancel()
	if err := ended(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("watch(): got %v, want it cancelled", err)
	}
}

// After a daemon that was killed, what its rsyncs have written late is found by
// another full sync.
func TestComparedAgainAfterAKill(t *testing.T) {
	m, node := unwatched(t, "auto")
	m.again = 2 * time.Second // the first one has begun by then
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.watch(ctx, func() {}) }()
	for n := range 2 {
		if set := node.next(t); !set.IsFull() {
			t.Errorf("push %d: got a part of the tree, want all of it", n+1)
		}
	}
	cancel()
	if err := ended(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("watch(): got %v, want it cancelled", err)
	}
}

// A mirror that takes the place of another begins when that has ended, and the
// nodes have what was in its queue.
func TestMirrorEndsTheOneBefore(t *testing.T) {
	was, _ := unwatched(t, "auto")
	ctx, cancel := context.WithCancel(t.Context())
	was.cancel, was.done = cancel, make(chan struct{})
	was.nodes.Hold("so that nothing is pushed", "")
	go func() {
		<-ctx.Done()
		was.queue.Add(change.Event{Path: "f", Mask: unix.IN_CLOSE_WRITE}) // the last that its watcher saw
		close(was.done)
	}()
	s := newSupervisor(&app{pretend: true})
	s.limits = newLimits(&config.Config{MaxParallel: 1})
	cfg := was.cfg
	cfg.Watcher = "of no such name" // and so without a full sync of its own
	cfg.Nodes = []config.Node{{Name: "n", Enabled: true}}
	m, err := s.startMirror(t.Context(), cfg, was)
	if err != nil {
		t.Fatal(err)
	}
	defer m.unwatch()
	if ctx.Err() == nil {
		t.Error("the mirror before it goes on, want it ended")
	}
	if got := m.nodes.Covering("f"); !slices.Equal(got, []string{"n"}) {
		t.Errorf("what was in its queue is pending at %q, want n", got)
	}
}
