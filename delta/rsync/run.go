package rsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"inosyncd/delta"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/output"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/change"
	"inosyncd/internal/fault"
	"inosyncd/internal/push"
)

// rsync runs rsync once and takes in what it tells. scope is what the run is
// about: what is left when nothing more precise can be told. The verdict is
// Done, Again or Hold; entries that failed are noted in the batch.
func (b *batch) rsync(ctx context.Context, m mode, list []byte, scope *change.Set) verdict {
	m.dry = b.dry
	m = b.bounded(m)
	// The path has to lead to the source still: one that was moved away is
	// held, although it could be read.
	err := b.e.o.Source.Check()
	if err == nil {
		err = fault.Fail("rsync: root checked")
	}
	if err != nil {
		res := delta.Unplanned(err)
		return verdict{res.Outcome, res.Err, res.Cure}
	}
	end, v := b.start(ctx, m, list)
	if v.outcome != push.Done {
		return v
	}
	if err := fault.Fail("rsync: exit judged"); err != nil {
		return verdict{push.Again, err, ""}
	}
	if m.missing && Poor(&end) {
		b.e.poorHand = true
		return verdict{}
	}
	if m.limited && b.stoppedShort(&end) && (end.Code == 0 || end.Code == codeVanished) {
		end.Code = codeLimit
	}
	v = judge(&end)
	if b.dry {
		if v.outcome == push.Partly {
			v = verdict{}
		}
		return v
	}
	if v.outcome == push.Partly || end.Code == codeVanished {
		b.incomplete(&end, v, scope)
		return verdict{}
	}
	return v
}

// start runs rsync to its end, an armed one where it can be had. One that was
// armed may have lost its connection, or its server, while it waited: whatever
// it came to but the trouble of single entries, another is started at once.
func (b *batch) start(ctx context.Context, m mode, list []byte) (process.Exit, verdict) {
	if p := b.e.armourer.take(m); p != nil {
		release := p.Adopt(ctx, b.reader(m))
		end := b.finish(p, m, list)
		release()
		if judge(&end).outcome <= push.Partly || ctx.Err() != nil {
			return end, verdict{}
		}
		b.e.log.Debug("an armed rsync was stale", "code", end.Code)
	}
	s, err := b.e.prepare(m)
	if err != nil {
		return process.Exit{}, verdict{push.Hold, err, "correct the password file"}
	}
	s.Dir = b.plan.Root()
	p, err := process.Start(ctx, s, b.reader(m))
	if err != nil {
		return process.Exit{}, unstarted(err)
	}
	return b.finish(p, m, list), verdict{}
}

// idle is how long a run may do nothing before it is ended, 0 for ever.
func (e *Engine) idle(m mode) time.Duration {
	_, idle := e.o.Silence(e.brisk(m))
	return idle
}

const (
	// codeVanished is rsync's exit code when entries were gone before they
	// could be sent, and all else is well.
	codeVanished = 24

	// codeLimit is that of a run that --max-delete kept from removing more. If
	// something has vanished too, or the node is an rsync daemon, only a
	// message tells (3.5.0).
	codeLimit = 25
)

// limitNote begins that message.
const limitNote = "Deletions stopped due to --max-delete limit"

// stoppedShort reports whether rsync had more to remove than --max-delete, or may
// have had: it says so last of all.
func (b *batch) stoppedShort(end *process.Exit) bool {
	return end.Excess && b.removed >= b.limit || slices.ContainsFunc(end.Notes, func(note string) bool { return strings.HasPrefix(note, limitNote) })
}

// unstarted is the verdict on a run that could not be started.
func unstarted(err error) verdict {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return verdict{push.Hold, err, "install rsync, or name it with the key rsync"}
	case errors.Is(err, fs.ErrPermission):
		return verdict{push.Hold, err, "let the user that runs rsync run it and enter the source"}
	}
	return verdict{push.Again, err, ""}
}

// Poor reports whether a run failed because the receiver has no working
// --delete-missing-args. Nothing was removed then, and nothing sent.
func Poor(end *process.Exit) bool {
	if end.Code == 0 {
		return false
	}
	for _, note := range end.Notes {
		if strings.Contains(note, "invalid file mode 00") || strings.Contains(note, "delete-missing-args") {
			return true
		}
	}
	return false
}

// reader returns what takes rsync's lines in.
func (b *batch) reader(m mode) func(line string) bool {
	began := delta.Now()
	return func(line string) bool {
		if it, ok := output.ParseItem(line); ok {
			b.item(it, m, began)
			return true
		}
		if n, ok := output.ParseSent(line); ok {
			b.bytes += n
			return true
		}
		if report := b.e.o.Progress; report != nil {
			if percent, n, ok := output.ParseProgress(line); ok {
				report(percent, n)
				return true
			}
		}
		if strings.HasPrefix(line, output.EndLine) && b.last(m) {
			b.reported()
		}
		return output.IsStat(line)
	}
}

// last reports whether nothing more is to be done when a run has gone well. It
// may say no of the last one.
func (b *batch) last(m mode) bool {
	switch {
	case b.dry:
		return false
	case m.only:
		return true
	case m.missing:
		return !slices.ContainsFunc(b.plan.Missing, func(m delta.Missing) bool { return m.OneKind })
	case m.recurse && !m.whole: // of some directories, and others can follow
		return false
	}
	compared := len(b.unsure) == 0 || m.exact && !m.whole
	return compared && (!b.removes || len(b.plan.Missing) == 0)
}

// item takes in what rsync did with one entry.
func (b *batch) item(it output.Item, m mode, began time.Time) {
	if b.plan.Full && m.whole && !m.only && !b.dry {
		b.find(it, began)
	}
	switch {
	case it.Deleted():
		b.removed++
		if b.dry {
			b.doomed.add(it.Name)
		} else {
			b.e.log.Debug("removed", "path", it.Name)
		}
	case it.Swept() && b.dry:
		b.litter++
	case it.Sent() && !b.dry:
		delete(b.unsure, it.Name)
		// What the list names is compared with what it was before. The
		// other files are known only now that they were read.
		switch {
		case !m.recurse && !m.whole:
			b.plan.Sent(it.Name)
		case sound(it.Name) && b.plan.ChangedSince(it.Name, began):
			b.vanished.Add(it.Name, change.Itself|change.Content, b.set.SinceOf(it.Name))
		}
		b.e.log.Debug("sent", "path", it.Name)
	case !b.dry: // a directory, a link, a device, or only attributes
		b.e.log.Debug("made equal", "path", cmp.Or(it.Name, "."))
	}
}

// slack is how long a change may take to be noticed, and so be in the set.
const slack = time.Second

// find notes what a comparison of the whole tree has made equal. What changed at
// the source since the oldest change in the set, or as the comparison began,
// explains itself; of what was removed, the directory tells. The times of a
// directory only follow what is in it.
func (b *batch) find(it output.Item, began time.Time) {
	if it.What == ".d..t......" || !sound(it.Name) {
		return
	}
	kind, where := it.Kind(), it.Name
	if kind == push.Deleted {
		where = parent(it.Name)
	}
	if since := b.set.Since(); since.Before(began) {
		began = since
	}
	if b.found.Full() || !b.plan.ChangedSince(where, began.Add(-slack)) {
		b.found.Add(it.Name, kind)
	}
}

// incomplete notes what a run left undone.
func (b *batch) incomplete(end *process.Exit, v verdict, scope *change.Set) {
	bl := b.blame()
	for _, note := range end.Notes {
		bl.read(note)
	}
	known := func(names []string) bool {
		for _, name := range names {
			if !b.concerns(scope, name) {
				return false
			}
		}
		return true
	}
	if end.Excess || bl.unknown || len(bl.names)+len(bl.gone) == 0 || !known(bl.names) || !known(bl.gone) {
		if v.err == nil {
			b.vanished.Merge(scope) // nothing has failed: what it was goes around again
		} else {
			b.fail(v, scope)
		}
		return
	}
	for _, name := range bl.gone {
		b.vanished.Add(name, change.Itself|change.Content, b.set.SinceOf(name))
		delete(b.unsure, name)
	}
	if len(bl.names) > 0 {
		set := change.New(0)
		for _, name := range bl.names {
			set.Add(name, change.Itself|change.Content, b.set.SinceOf(name))
			delete(b.unsure, name)
		}
		b.fail(v, set)
	}
	if bl.noDelete {
		b.whole(scope, len(bl.names) > 0, v)
	}
}

// whole notes the directories of scope that were to be compared whole and in
// which nothing was removed.
func (b *batch) whole(scope *change.Set, failed bool, v verdict) {
	for path, mark := range scope.All() {
		if mark&change.AllBelow == 0 {
			continue
		}
		if failed {
			set := change.New(0)
			set.Add(path, mark, b.set.SinceOf(path))
			b.fail(v, set)
		} else {
			b.vanished.Add(path, mark, b.set.SinceOf(path))
		}
	}
}

// fail notes that set could not be made equal. The first reason is kept.
func (b *batch) fail(v verdict, set *change.Set) {
	b.failed.Merge(set)
	if b.why.err == nil {
		b.why = v
	}
}

// concerns reports whether a run about scope can have met name: it is in
// scope, or a directory above something that is.
func (b *batch) concerns(scope *change.Set, name string) bool {
	if scope.Covers(name) {
		return true
	}
	for path := range scope.All() {
		if name == "" || strings.HasPrefix(path, name+"/") {
			return true
		}
	}
	return false
}

// blame returns what tells rsync's names for entries.
func (b *batch) blame() blame {
	var bl blame
	if dir, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", b.plan.Root().Fd())); err == nil {
		bl.source = strings.TrimSuffix(dir, "/") + "/"
	}
	switch a := b.e.o.Address; a.Kind {
	case node.Daemon:
		_, bl.module, _ = strings.Cut(a.Path, "/")
	default:
		if strings.HasPrefix(a.Path, "/") {
			bl.node = a.Path
		}
	}
	return bl
}
