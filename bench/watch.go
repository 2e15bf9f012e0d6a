package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/source"
	"inosyncd/watcher"
)

const mask = unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVE | unix.IN_ATTRIB

// watch times the setting of watches on a tree of directories, and beside it a
// walk that does nothing but call inotify_add_watch(2).
func (b *bench) watch() error {
	top := filepath.Join(b.dir, "watch")
	label := fmt.Sprintf("watches on %s directories", number(b.dirs))
	for i := range b.dirs {
		if err := os.MkdirAll(filepath.Join(top, fmt.Sprintf("%d/%d/%d", i/1000, i/20%50, i%20)), 0o755); err != nil {
			return err
		}
	}
	defer os.RemoveAll(top)
	var n int
	bare, err := best(func() (err error) {
		n, err = addWatches(top)
		return err
	})
	if err != nil {
		return err
	}
	var w watcher.Watcher
	full, err := best(func() (err error) {
		if w != nil {
			err = w.Close()
		}
		if err == nil {
			w, err = startWatcher(top)
		}
		return err
	})
	if err != nil {
		return err
	}
	heap := heapInUse()
	if err := w.Close(); err != nil {
		return err
	}
	w = nil
	heap -= heapInUse()
	b.report.add(result{label, "time", ours, ms(full), "ms", false})
	b.report.add(result{label, "time beside a bare walk", ours, float64(full) / float64(bare), "×", false})
	b.report.add(result{label, "heap for each directory", ours, float64(heap) / float64(n), "bytes", false})
	return nil
}

// best is the shortest of five runs, so that the file system's caches are warm.
func best(f func() error) (time.Duration, error) {
	shortest := time.Hour
	for range 5 {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		shortest = min(shortest, time.Since(began))
	}
	return shortest, nil
}

func startWatcher(top string) (watcher.Watcher, error) {
	root := source.New(top)
	if err := root.Adopt(); err != nil {
		return nil, err
	}
	return watcher.Start(context.Background(), "inotify", watcher.Options{
		Root:      root,
		Mask:      mask,
		Recursive: true,
		Emit:      func(change.Event) {},
	})
}

func addWatches(top string) (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	n := 0
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		n++
		_, err = unix.InotifyAddWatch(fd, path, mask|unix.IN_ONLYDIR)
		return err
	})
	return n, err
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
