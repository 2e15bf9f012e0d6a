package delta

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// Changed looks at the entries of the plan again, after they were sent, and
// returns those that are not what they were: what the node got of them may be
// of no version that ever was. They go around again. It returns nil when
// everything is as it was.
//
// What is not there any more is not among them: that it went is a change after the
// plan, with an event of its own. Pushed on its own account it would be removed
// from the node, while the name that it was moved to still waits for its delay.
func (p *Plan) Changed() *change.Set {
	p.tree.close() // a directory can be another by now
	defer p.tree.close()
	var set *change.Set
	for i := range p.Entries {
		e := &p.Entries[i]
		at, now, err := p.tree.stat(e.Path)
		if err == nil && at == e.Path && same(&e.was, &now) || errors.Is(err, unix.ENOENT) {
			continue
		}
		if set == nil {
			set = change.New(0)
		}
		mark := e.Mark
		if e.Regular() {
			mark |= change.Content
		}
		since := p.began
		if !e.read {
			since = p.set.SinceOf(e.Path)
		}
		set.Add(e.Path, mark|change.Itself, since)
	}
	return set
}

// Sent notes that the file at path has been read by now and is on its way. If
// it is still what it was, that is the version that the node gets: should it be
// overtaken before the end, what is pending of it is no older than the plan. So
// a file that is written all the time does not make the node look as if it had
// nothing of it.
func (p *Plan) Sent(path string) {
	if p.index == nil {
		p.index = make(map[string]int, len(p.Entries))
		for i := range p.Entries {
			p.index[p.Entries[i].Path] = i
		}
	}
	i, ok := p.index[path]
	if !ok {
		return
	}
	// Links on the way may be followed: what is found is the same file or not.
	now, err := statAt(p.tree.root, path)
	p.Entries[i].read = err == nil && same(&p.Entries[i].was, &now)
}

// same reports whether an entry is the version of itself that it was. ctime
// tells of writes that put the modification time back, and of attributes. A
// directory is only its attributes: what is in it has events of its own.
func same(was, now *stat) bool {
	if was.dir() {
		return now.dir() && was.dev == now.dev && was.ino == now.ino &&
			was.mode == now.mode && was.uid == now.uid && was.gid == now.gid
	}
	a, b := *was, *now
	a.nlink, b.nlink = 0, 0 // a link made elsewhere changes ctime anyway
	return a == b
}

// Now is the time on the clock that the kernel stamps files with. It runs up
// to a tick behind the precise clock, which therefore must not be compared
// with a ctime.
func Now() time.Time {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &ts) != nil {
		return time.Now().Add(-time.Second)
	}
	return time.Unix(ts.Unix())
}

// ChangedSince reports whether what is at path was changed at t or later, or
// is gone. It is for files that the plan has no entry for, because the
// directory above them was compared whole; t is when that comparison started,
// by [Now]. On a file system of another host the times are that host's, and
// only the events that follow a change tell of it.
func (p *Plan) ChangedSince(path string, t time.Time) bool {
	at, st, err := p.tree.stat(path)
	return err != nil || at != path || st.ctime >= t.UnixNano()
}

// Fifo returns an entry that was a regular file and is a FIFO by now. Who opens
// that to read it waits for a writer, for ever if there is none: fifo(7). Unlike
// all else of a plan, it may be called while the plan is in use.
func (p *Plan) Fifo() (path string, found bool) {
	look := tree{root: int(p.root.Fd())}
	defer look.close()
	for i := range p.Entries {
		e := &p.Entries[i]
		if !e.Regular() {
			continue
		}
		at, now, err := look.stat(e.Path)
		if err == nil && at == e.Path && now.mode&unix.S_IFMT == unix.S_IFIFO {
			return e.Path, true
		}
	}
	return "", false
}
