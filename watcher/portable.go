package watcher

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
)

// rebuildRest is the shortest time between two rebuilds.
const rebuildRest = 200 * time.Millisecond

// rootEvery is how often the root is checked, for what no event tells: that a
// directory above it was renamed, or something mounted over it. Tests shorten
// it.
var rootEvery = 5 * time.Second

// library is what differs between those backends: how a directory is watched.
// Its events go to hints. All calls come from one goroutine.
type library interface {
	// add watches the directory at an absolute path. It watches what is
	// there now, also when it has watched another directory of that name.
	add(path string) error

	// drop forgets path, whose directory is gone or elsewhere.
	drop(path string)

	// reset forgets everything. Its error ends the watcher.
	reset() error

	// close ends watching and waits until no more hints are given.
	close()
}

// portable is a Watcher on top of a library that watches single directories
// and may miss things. It trusts no event: each says only where to look, a
// directory that was made, renamed or removed is watched and compared anew
// with all below it, and after a loss, or when reconcile has passed, the whole
// tree is. That is also when directories that could not be watched are
// compared and tried again.
//
// One goroutine owns the tree, looks and emits; those of the library only note
// hints. Writing is set only where writing is given.
type portable struct {
	o         Options
	reconcile time.Duration
	writing   func(path string) bool // whether a file is open for writing; may be nil
	hints     *hints
	lib       library
	dirs      *dirs

	rebuilt time.Time // when the tree was last built as a whole
	built   time.Duration
	told    bool // a directory that is not watched was logged since then

	watches, unwatched atomic.Int64
	gaps               atomic.Uint64

	alive  alive.Asks         // run answers, and dirs in long work
	cancel context.CancelFunc // ends run
	ended  <-chan struct{}    // closed by cancel
	wg     sync.WaitGroup     // run
	done   chan struct{}      // closed by run when it ends by itself
	err    error              // why; read after done
}

// newPortable prepares a watcher of the root at base, its path without links.
func newPortable(o Options, base string, h *hints, lib library) *portable {
	asks := alive.New()
	return &portable{
		o: o, hints: h, lib: lib,
		dirs:  &dirs{base: base, rules: o.Rules, recursive: o.Recursive, lib: lib, alive: asks},
		alive: asks,
		done:  make(chan struct{}),
	}
}

// start watches everything, which ctx ends, and then runs until Close.
func (p *portable) start(ctx context.Context) error {
	p.build(ctx)
	err := ctx.Err()
	if err == nil {
		err = p.o.Root.Check()
	}
	if err != nil {
		p.lib.close()
		return fmt.Errorf("watching %q: %w", p.o.Root.Path(), err)
	}
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.ended = ctx.Done()
	p.wg.Go(func() {
		defer p.lib.close()
		if err := p.run(ctx); err != nil && ctx.Err() == nil {
			p.err = fmt.Errorf("watching %q: %w", p.o.Root.Path(), err)
			close(p.done)
		}
	})
	return nil
}

func (p *portable) run(ctx context.Context) error {
	check := time.NewTicker(rootEvery)
	defer check.Stop()
	reconcile := time.NewTicker(p.reconcile)
	defer reconcile.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.alive:
		case <-p.hints.wake:
			err = p.look(ctx)
		case <-reconcile.C:
			err = p.rebuild(ctx)
		case <-check.C:
			err = p.o.Root.Check()
		}
		if err != nil {
			return err
		}
	}
}

// look follows the hints that have come, parents before what is below them. A
// directory that was compared anew covers the hints below it.
func (p *portable) look(ctx context.Context) error {
	masks, lost := p.hints.take()
	if lost {
		return p.rebuild(ctx)
	}
	if masks[""]&bitsSelf != 0 {
		if err := p.o.Root.Check(); err != nil {
			return err
		}
		return p.rebuild(ctx) // the library has let go of the root
	}
	anew := change.New(0)
	for _, path := range slices.Sorted(maps.Keys(masks)) {
		if ctx.Err() != nil {
			return nil
		}
		p.follow(ctx, path, masks[path], anew)
	}
	p.report()
	return nil
}

// follow looks at path and emits the event.
func (p *portable) follow(ctx context.Context, path string, mask uint32, anew *change.Set) {
	ev := change.Event{Path: path, Mask: mask}
	d := p.dirs.find(path)
	isDir := d != nil || mask&bitIsDir != 0
	retry := d != nil && d.missed && mask&bitAttrib != 0 // it may be readable now
	if path != "" && (mask&bitsStructure != 0 || retry) {
		_, err := lookAt(filepath.Join(p.dirs.base, path))
		isDir = err == nil || isDir && errors.Is(err, fs.ErrNotExist)
		ev.AllBelow = err == nil && p.o.Recursive
		if (isDir || d != nil) && !anew.Covers(path) {
			p.dirs.refresh(ctx, path)
			anew.Add(path, change.AllBelow, time.Time{})
		}
	}
	if p.o.Rules.Excluded(path, isDir) {
		return
	}
	if isDir {
		ev.Mask |= bitIsDir
	} else if p.writing != nil && mask&(bitCreate|bitCloseWrite) == bitCreate {
		ev.Writing = p.writing(filepath.Join(p.dirs.base, path))
	}
	p.o.Emit(ev)
}

// rebuild watches everything anew and emits the gap. However often it is
// called, it leaves as much time as it takes.
func (p *portable) rebuild(ctx context.Context) error {
	for rested := time.After(max(rebuildRest, p.built) - time.Since(p.rebuilt)); rested != nil; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.alive:
		case <-rested:
			rested = nil
		}
	}
	if err := p.lib.reset(); err != nil {
		return err
	}
	p.build(ctx)
	if err := p.o.Root.Check(); err != nil {
		return err
	}
	p.gaps.Add(1)
	p.o.Emit(change.Event{AllBelow: true})
	return nil
}

func (p *portable) build(ctx context.Context) {
	start := time.Now()
	p.told = false
	p.dirs.build(ctx)
	p.rebuilt = time.Now()
	p.built = p.rebuilt.Sub(start)
	p.report()
}

// report publishes how many directories are watched and logs, once for every
// time the tree is built, that some are not.
func (p *portable) report() {
	watches, missed, err := len(p.dirs.owners), p.dirs.missed, p.dirs.err
	p.watches.Store(int64(watches))
	p.unwatched.Store(int64(missed))
	p.dirs.err = nil
	if err == nil || p.told {
		return
	}
	p.told = true
	if errors.Is(err, syscall.ENOSPC) { // inotify_add_watch(2)
		err = fmt.Errorf("%w: raise fs.inotify.max_user_watches", err)
	}
	p.o.Log.Error("directories are not watched and only compared from time to time",
		"wpath", p.o.Root.Path(), "unwatched", missed, "watches", watches,
		"every", p.reconcile, "err", err)
}

func (p *portable) Stats() Stats {
	events, overflows := p.hints.counts()
	return Stats{
		Watches:   int(p.watches.Load()),
		Unwatched: int(p.unwatched.Load()),
		Events:    events,
		Gaps:      p.gaps.Load(),
		Overflows: overflows,
	}
}

// Alive implements Watcher.
func (p *portable) Alive(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	default:
		return p.alive.Ask(ctx, p.ended)
	}
}

func (p *portable) Done() <-chan struct{} { return p.done }

func (p *portable) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

func (p *portable) Close() error {
	p.cancel()
	p.wg.Wait()
	return nil
}
