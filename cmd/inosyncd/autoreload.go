package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rjeczalik/notify"
	"golang.org/x/sys/unix"

	"inosyncd/config"
)

// reloadDelay lets a save that consists of several steps come to its end.
const reloadDelay = 200 * time.Millisecond

// autoReload tells when a file that the configuration was made from has been
// saved (`reload: auto`). It watches their directories, see dirsOf, for files that were
// closed by a writer or renamed into place, so it never speaks of one that is
// half written. It is a level and no count: events that the library drops while
// one is waiting say nothing new.
type autoReload struct {
	changed chan struct{} // capacity 1
	events  chan notify.EventInfo
	quit    chan struct{}
	done    sync.WaitGroup

	files []string
	read  versions // those that the configuration was made from
}

// versions tell, by file, one saved version from another.
type versions map[string]string

// watchConfig watches the files of cfg until close; read are the versions from
// before cfg was read. The methods of the result take nil, which never tells
// anything, for a configuration that is read on HUP alone.
func watchConfig(cfg *config.Config, read versions) (*autoReload, error) {
	if cfg.Reload != "auto" {
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	a := &autoReload{
		changed: make(chan struct{}, 1),
		events:  make(chan notify.EventInfo, 1),
		quit:    make(chan struct{}),
		files:   cfg.Files(),
	}
	a.read = versionsOf(a.files)
	maps.Copy(a.read, read)
	for dir := range dirsOf(a.files) {
		// InMovedTo is also what the swap of a mounted volume's link gives.
		if err := notify.Watch(dir, a.events, notify.InCloseWrite, notify.InMovedTo); err != nil {
			notify.Stop(a.events)
			return nil, fmt.Errorf("watching %q for a new configuration: %w", dir, err)
		}
	}
	a.done.Go(a.run)
	return a, nil
}

// dirsOf are the directories that files are in and, of links, those in which
// they lead to what is read: it may be saved there.
func dirsOf(files []string) map[string]bool {
	const maxLinks = 40 // path_resolution(7)
	dirs := map[string]bool{}
	for _, file := range files {
		for range maxLinks {
			dirs[filepath.Dir(file)] = true
			to, err := os.Readlink(file)
			if err != nil {
				break // no link
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(file), to)
			}
			file = to
		}
	}
	return dirs
}

func (a *autoReload) run() {
	defer notify.Stop(a.events)
	timer := time.NewTimer(reloadDelay) // at once: a save may have come before the watch
	defer timer.Stop()
	for {
		select {
		case <-a.events:
			timer.Reset(reloadDelay)
		case <-timer.C:
			if !a.saved() {
				break // it was another file in the directory
			}
			select {
			case a.changed <- struct{}{}:
			default:
			}
		case <-a.quit:
			return
		}
	}
}

// told is ready when there is something new to read.
func (a *autoReload) told() <-chan struct{} {
	if a == nil {
		return nil
	}
	return a.changed
}

func (a *autoReload) close() {
	if a != nil {
		close(a.quit)
		a.done.Wait()
	}
}

// saved reports whether a file is of another version than was read.
func (a *autoReload) saved() bool {
	for file, version := range versionsOf(a.files) {
		if version != a.read[file] {
			return true
		}
	}
	return false
}

func versionsOf(files []string) versions {
	v := versions{}
	for _, file := range files {
		var st unix.Stat_t
		if err := unix.Stat(file, &st); err != nil {
			v[file] = err.Error()
			continue
		}
		v[file] = fmt.Sprintln(st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim)
	}
	return v
}
