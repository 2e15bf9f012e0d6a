package watcher

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"inosyncd/internal/source"
)

// fsnotifyReconcile is how often the fsnotify backend compares everything. It
// hears of overflows, so this is for what it cannot hear of. Tests shorten it.
var fsnotifyReconcile = 10 * time.Minute

// startFsnotify starts the backend on fsnotify, which runs where that does.
//
// fsnotify reports no IN_CLOSE_WRITE. Each of its writes stands for
// IN_MODIFY and IN_CLOSE_WRITE, so an open file is pushed as it is and again
// with each further write, and Event.Writing is never set.
func startFsnotify(ctx context.Context, o Options) (Watcher, error) {
	base, err := filepath.EvalSymlinks(o.Root.Path())
	if err != nil {
		return nil, fmt.Errorf("watching %q: %w: %w", o.Root.Path(), source.ErrGone, err)
	}
	lib := &fsnotifyLib{base: base, hints: newHints()}
	if err := lib.reset(); err != nil {
		return nil, err
	}
	p := newPortable(o, base, lib.hints, lib)
	p.reconcile = fsnotifyReconcile
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// fsnotifyLib watches by an fsnotify.Watcher, which keeps its watches by path.
// When it is asked to watch an inode that it already watches under another
// path it does nothing and reports success, and it lets go of a renamed
// directory by itself and late. Neither does harm because dirs drops a path
// that has changed, and the other path of an inode, before it adds: the new
// watch has a new number, which no event still under way can be about.
type fsnotifyLib struct {
	base  string
	hints *hints
	w     *fsnotify.Watcher
	wg    sync.WaitGroup // the two readers of w
}

func (l *fsnotifyLib) add(path string) error { return l.w.Add(path) }

// drop discards the error: that path was not watched, or that the kernel let
// go of it first.
func (l *fsnotifyLib) drop(path string) { _ = l.w.Remove(path) }

// reset takes a new Watcher, which is cheaper than to remove all watches of
// the old one and leaves none of its errors behind.
func (l *fsnotifyLib) reset() error {
	l.close()
	w, err := fsnotify.NewWatcher()
	if errors.Is(err, syscall.EMFILE) { // inotify_init(2)
		err = fmt.Errorf("%w: raise fs.inotify.max_user_instances", err)
	}
	if err != nil {
		return fmt.Errorf("starting fsnotify: %w", err)
	}
	l.w = w
	// Errors has a reader of its own because fsnotify sends to it with the
	// lock held that add and drop wait for.
	l.wg.Go(func() { l.readErrors(w) })
	l.wg.Go(func() { l.readEvents(w) })
	return nil
}

func (l *fsnotifyLib) close() {
	if l.w == nil {
		return
	}
	_ = l.w.Close() // it closes the channels, which ends the readers
	l.wg.Wait()
	l.w = nil
}

// readErrors takes every error for a loss, but for the one that fsnotify makes
// itself when a directory that was renamed is removed before it lets go of it.
func (l *fsnotifyLib) readErrors(w *fsnotify.Watcher) {
	for err := range w.Errors {
		if !errors.Is(err, syscall.EINVAL) {
			l.hints.lose()
		}
	}
}

func (l *fsnotifyLib) readEvents(w *fsnotify.Watcher) {
	for ev := range w.Events {
		path := strings.TrimLeft(strings.TrimPrefix(ev.Name, l.base), "/")
		l.hints.add(path, fsnotifyMask(ev.Op, path == ""))
	}
}

// fsnotifyMask is op in the bits of inotify(7).
func fsnotifyMask(op fsnotify.Op, root bool) (mask uint32) {
	for _, b := range []struct {
		op         fsnotify.Op
		mask, self uint32 // self: of the root
	}{
		{fsnotify.Create, bitCreate, 0},
		{fsnotify.Write, bitModify | bitCloseWrite, 0},
		{fsnotify.Remove, bitDelete, bitDeleteSelf},
		{fsnotify.Rename, bitMovedFrom, bitMoveSelf},
		{fsnotify.Chmod, bitAttrib, bitAttrib},
	} {
		switch {
		case !op.Has(b.op):
		case root:
			mask |= b.self
		default:
			mask |= b.mask
		}
	}
	return mask
}
