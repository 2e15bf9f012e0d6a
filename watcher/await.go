package watcher

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"inosyncd/internal/source"
)

// awaitEvery is how often a path is looked at though no event asks for it: a
// mount on the way to it makes none.
const awaitEvery = 5 * time.Second

// Await blocks until root can be opened: until the directory that it adopted
// is back at its path or, if it has adopted none, until it has adopted the one
// that is there. It sees at once what is made or renamed on the way to the
// path, and looks every five seconds. away is told why not after every look in
// vain. It returns ctx's error when ctx ends first.
func Await(ctx context.Context, root *source.Root, away func(error)) error {
	return await(ctx, root.Path(), awaitEvery, func() bool {
		err := look(root)
		if err != nil {
			away(err)
		}
		return err == nil
	})
}

func look(root *source.Root) error {
	if root.Adopted() {
		return root.Check()
	}
	return root.Adopt()
}

// Guard returns a channel that is closed when root's path no longer leads to
// the directory that it adopted: when a directory on the way was renamed or
// removed or a link changed, at once; when something was mounted over it,
// within five seconds. The channel stays open when ctx ends first, which ends
// the goroutine behind it.
func Guard(ctx context.Context, root *source.Root) <-chan struct{} {
	astray := make(chan struct{})
	go func() {
		gone := func() bool { return root.Check() != nil }
		if await(ctx, root.Path(), awaitEvery, gone) == nil {
			close(astray)
		}
	}()
	return astray
}

// await returns nil when ok does. It asks at once, after every event about an
// entry on the way to path, and every so often.
func await(ctx context.Context, path string, every time.Duration, ok func() bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		w := watchWay(path) // before ok looks, so that no change is between
		for told := false; !told && ctx.Err() == nil; {
			if ok() {
				w.close()
				return nil
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			case <-w.told:
				told = true // the way may be another now
			}
		}
		w.close()
	}
	return ctx.Err()
}

// wayWatch watches the entries on the way to a path, from where it was set
// up to close.
type wayWatch struct {
	told chan struct{}     // holds one value when one of them has changed
	w    *fsnotify.Watcher // nil when none is to be had
	wg   sync.WaitGroup    // the two readers of w
}

// watchWay watches the way to path as it is now. What cannot be watched is
// left to the timer.
func watchWay(path string) *wayWatch {
	ww := &wayWatch{told: make(chan struct{}, 1)}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return ww
	}
	ww.w = w
	way := wayTo(path)
	// fsnotify sends an error with the lock held that Add and Close wait
	// for, so errors have a reader of their own.
	ww.wg.Go(func() {
		for range w.Errors {
			ww.tell()
		}
	})
	ww.wg.Go(func() {
		for ev := range w.Events {
			if way[filepath.Clean(ev.Name)] {
				ww.tell()
			}
		}
	})
	for entry := range way {
		_ = w.Add(filepath.Dir(entry))
	}
	if !maps.Equal(way, wayTo(path)) { // it changed before it was watched
		ww.tell()
	}
	return ww
}

func (ww *wayWatch) tell() {
	select {
	case ww.told <- struct{}{}:
	default:
	}
}

func (ww *wayWatch) close() {
	if ww.w != nil {
		_ = ww.w.Close()
		ww.wg.Wait()
	}
}

// wayTo returns the entries that a lookup of the absolute path goes through,
// those of the links on it too, up to the first that is missing. The
// directories that they are in are named without links.
func wayTo(path string) map[string]bool {
	const maxLinks = 40 // path_resolution(7)
	way := make(map[string]bool)
	at, rest := "/", split(path)
	for links := 0; len(rest) > 0; {
		entry := filepath.Join(at, rest[0]) // which follows ".."
		rest = rest[1:]
		fi, err := os.Lstat(entry)
		way[entry] = true
		if err != nil {
			break
		}
		if fi.Mode()&os.ModeSymlink == 0 {
			at = entry
			continue
		}
		target, err := os.Readlink(entry)
		if links++; err != nil || links > maxLinks {
			break
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(split(target), rest...)
	}
	return way
}

// split returns the components of path.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
