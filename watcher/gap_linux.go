package watcher

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxResyncPause bounds the time between two resyncs of a root whose queue
// overflows again and again.
const maxResyncPause = 30 * time.Second

// maxWarnings bounds the directories that are named at level warn as not
// watched; the rest is counted.
const maxWarnings = 10

// overflow records that events were lost. The root is the smallest directory known
// to enclose all they were about.
func (m *model) overflow() {
	m.count.overflows.Add(1)
	m.wantResync()
	m.marks.lose()
}

func (m *model) wantResync() {
	if m.resyncAt.IsZero() {
		m.resyncAt = time.Now()
		if m.noResync.After(m.resyncAt) {
			m.resyncAt = m.noResync
		}
	}
}

// resync lists everything again when due. A root whose queue keeps overflowing
// spends at most a fifth of its time on it.
func (m *model) resync(now time.Time) {
	if m.resyncAt.IsZero() || now.Before(m.resyncAt) || m.gone != nil {
		return
	}
	m.resyncAt = time.Time{}
	if m.gone = m.listAll(); m.gone != nil || m.quitting() {
		return
	}
	m.gap(m.root)
	end := time.Now()
	m.noResync = end.Add(min(max(m.times.pace, 4*end.Sub(now)), maxResyncPause))
}

// listStale lists the directories that could not be listed before because they, or
// one above them, were not where the tree had them. By now they are in place, or an
// event that says otherwise is still to come, or the root itself has moved.
func (m *model) listStale() {
	for n := range maps.Clone(m.stale) {
		if !n.below(m.root) {
			delete(m.stale, n)
			continue
		}
		fd, err := m.open(n)
		if err != nil {
			continue
		}
		delete(m.stale, n)
		m.descend(frame{n: n, fd: fd})
		m.gap(n)
	}
	if len(m.stale) > 0 {
		m.rootMoved()
	}
}

// cannotWatch notes that n is not watched, or was not listed, because of err.
func (m *model) cannotWatch(n *node, err error) {
	if _, ok := m.unwatched[n]; ok && !errors.Is(err, unix.ENOSPC) {
		return
	}
	m.unwatched[n] = struct{}{}
	path, _ := m.pathOf(n)
	switch {
	case errors.Is(err, unix.ENOSPC):
		m.exhausted = true
	case len(m.unwatched) > maxWarnings || errors.Is(err, errLoop):
		m.o.Log.Debug("directory is not watched", "path", path, "err", err)
	default:
		m.o.Log.Warn("directory is not watched", "path", path, "err", err)
	}
}

func (m *model) isUnwatched(n *node) bool {
	_, ok := m.unwatched[n]
	return ok
}

// retry has unwatched directories compared when due, and tries to watch them. It
// returns the time at which it is due.
func (m *model) retry(now time.Time) time.Time {
	switch {
	case len(m.unwatched)+len(m.stale) == 0:
		m.retryAt = time.Time{}
		return time.Time{}
	case m.retryAt.IsZero():
		m.retryAt = now.Add(m.times.retry)
	case !now.Before(m.retryAt):
		m.retryAll()
		m.retryAt = time.Now().Add(m.times.retry)
	}
	return m.retryAt
}

func (m *model) retryAll() {
	m.exhausted = false
	again := slices.Concat(slices.Collect(maps.Keys(m.unwatched)), slices.Collect(maps.Keys(m.stale)))
	for _, n := range again {
		switch {
		case m.quitting() || !n.below(m.root):
			continue
		case n.parent != nil && m.isUnwatched(n.parent):
			continue // goes with its parent
		}
		if kid := m.rewatch(n); kid != nil {
			m.gap(kid)
		}
	}
}

// rewatch tries to watch n and everything below it. It returns the directory to be
// compared instead, nil if there is none. It does not try while the limit of watches
// is exhausted.
func (m *model) rewatch(n *node) *node {
	if m.exhausted {
		return n
	}
	if n == m.root {
		m.gone = errors.Join(m.gone, m.listAll())
		return n
	}
	dir, err := m.at(n.parent)
	if err != nil {
		return n
	}
	kid, fd, f := m.enter(n.parent, dir, n.name)
	switch {
	case fd < 0:
	case m.exhausted:
		_ = unix.Close(fd)
	default:
		m.descend(frame{n: kid, fd: fd, deep: true, fresh: f == fresh})
	}
	return kid
}

// tellLimit logs, once each time it happens, that the limit of watches is reached.
// The whole limit is then in use, if partly by others, so the number needed is the
// limit plus what is missing here.
func (m *model) tellLimit() {
	if len(m.unwatched) == 0 {
		m.exhausted, m.told = false, false
	}
	if !m.exhausted || m.told {
		return
	}
	m.told = true
	limit := readSysctl("max_user_watches")
	needed := limit + len(m.unwatched)
	raised := 8192
	for raised < needed {
		raised *= 2
	}
	m.o.Log.Error("inotify watches are used up: some directories are only compared from time to time",
		"unwatched", len(m.unwatched), "sysctl", "fs.inotify.max_user_watches",
		"limit", limit, "needed", needed,
		"cure", "sysctl -w fs.inotify.max_user_watches="+strconv.Itoa(raised))
}

// readSysctl returns the value of fs.inotify.name, 0 when it is not known.
func readSysctl(name string) int {
	b, err := os.ReadFile("/proc/sys/fs/inotify/" + name)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}
