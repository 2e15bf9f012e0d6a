package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const loadRate = 200 // changes a second

// steady makes changes at a steady rate and reports the greatest lag: how long
// any change waited until a node had it or a later one of the same file.
func (b *bench) steady() error {
	t := b.smallTree()
	s, err := b.newSite(overDaemon, 3, t.fill)
	if err != nil {
		return err
	}
	defer s.close()
	programs := b.watching()
	if b.calm && len(programs) > 1 {
		programs = append(programs, calm)
	}
	label := fmt.Sprintf("%d changes a second for %v, 3 nodes", loadRate, b.load)
	load := func(r *session) error { return r.load(t) }
	return errors.Join(
		b.each(label, s, programs, load),
		b.each(label+", push_rate 5", s, []string{eager}, load))
}

func (r *session) load(t tree) error {
	a, err := newArrivals(r.site, t)
	if err != nil {
		return err
	}
	defer a.close()
	r.pause()
	used, began := r.cpu(), time.Now()
	for i := range int(r.b.load.Seconds() * loadRate) {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / loadRate)))
		name := t.file(i % t.files)
		a.write(name, i)
		if err := r.write(name, fmt.Sprintf("%012d", i)); err != nil {
			return err
		}
	}
	greatest, err := a.wait(arriveLimit)
	r.pause() // its processes end
	if err := r.addTime("greatest lag", greatest, err); err != nil {
		return err
	}
	r.add("CPU at the source", ms(r.cpu()-used), "ms")
	return nil
}

// arrivals sees what is put in place on the nodes. Its goroutine ends at close.
type arrivals struct {
	site    *site
	watcher *fsnotify.Watcher
	done    sync.WaitGroup

	mu       sync.Mutex         // guards what follows
	waiting  map[string][]write // by the path of a file on a node, oldest first
	greatest time.Duration
}

// write is one that a node does not have yet.
type write struct {
	number int
	at     time.Time
}

func newArrivals(s *site, t tree) (*arrivals, error) {
	w, err := fsnotify.NewBufferedWatcher(1000)
	if err != nil {
		return nil, err
	}
	a := &arrivals{site: s, watcher: w, waiting: make(map[string][]write)}
	for _, n := range s.nodes {
		for i := range t.dirs {
			if err := w.Add(filepath.Join(n.mirror, t.dir(i))); err != nil {
				_ = w.Close()
				return nil, err
			}
		}
	}
	a.done.Go(a.look)
	return a, nil
}

func (a *arrivals) look() {
	for {
		select {
		case ev, ok := <-a.watcher.Events:
			if !ok {
				return
			}
			if ev.Has(fsnotify.Create) { // also what is renamed: rsync's last step
				a.arrived(ev.Name)
			}
		case _, ok := <-a.watcher.Errors:
			if !ok {
				return
			}
			a.mu.Lock()
			files := slices.Collect(maps.Keys(a.waiting))
			a.mu.Unlock()
			for _, file := range files { // an overflow: any may have arrived
				a.arrived(file)
			}
		}
	}
}

// write notes that change number i is about to be written.
func (a *arrivals) write(name string, i int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.site.nodes {
		file := filepath.Join(n.mirror, name)
		a.waiting[file] = append(a.waiting[file], write{i, time.Now()})
	}
}

func (a *arrivals) arrived(file string) {
	now := time.Now()
	if strings.HasPrefix(filepath.Base(file), ".") {
		return // not in place yet
	}
	content, _ := os.ReadFile(file)
	number, err := strconv.Atoi(string(content[:min(len(content), 12)]))
	if err != nil {
		return // read while it was being written; another will come
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	later := slices.IndexFunc(a.waiting[file], func(w write) bool { return w.number > number })
	if later < 0 {
		later = len(a.waiting[file])
	}
	if later > 0 {
		a.greatest = max(a.greatest, now.Sub(a.waiting[file][0].at))
		a.waiting[file] = a.waiting[file][later:]
	}
}

// wait waits until every change has arrived.
func (a *arrivals) wait(limit time.Duration) (greatest time.Duration, err error) {
	for deadline := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		a.mu.Lock()
		greatest, left := a.greatest, 0
		for _, w := range a.waiting {
			left += len(w)
		}
		a.mu.Unlock()
		if left == 0 {
			return greatest, nil
		}
		if time.Now().After(deadline) {
			return limit, fmt.Errorf("%d changes: %w", left, errLate)
		}
	}
}

func (a *arrivals) close() {
	_ = a.watcher.Close()
	a.done.Wait()
}
