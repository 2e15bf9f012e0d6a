package rsync

import (
	"context"
	"errors"
	"slices"
	"strings"

	"inosyncd/delta"
	"inosyncd/internal/change"
	"inosyncd/internal/fault"
	"inosyncd/internal/push"
)

// batch is one push on its way.
type batch struct {
	e    *Engine
	plan *delta.Plan
	set  *change.Set // what the push is about

	removes  bool       // this batch may remove entries from the node
	withheld bool       // it would have, and has done all but that
	released bool       // it does so because that was approved
	approved *deletions // what was, when it began; nil: nothing

	dry    bool      // the runs only count what they would remove
	doomed deletions // what they have counted
	litter int       // and what of it pushes that broke off have left

	limited bool // no more than limit entries are to be removed
	limit   int

	// unsure are the files whose content was written and that rsync has not
	// sent: it found them equal by size and time.
	unsure map[string]bool

	vanished *change.Set // what was gone before it could be sent
	failed   *change.Set // what could not be made equal, for the reason in why
	why      verdict

	bytes   int64
	removed int
	found   push.Found // by comparing the whole tree

	reported func() // is called when the node is done with the last run
}

func newBatch(e *Engine, plan *delta.Plan, set *change.Set) *batch {
	b := &batch{
		e: e, plan: plan, set: set, removes: e.o.Delete,
		unsure:   map[string]bool{},
		vanished: change.New(0),
		failed:   change.New(0),
	}
	for i := range plan.Entries {
		p := &plan.Entries[i]
		compared := p.Covered && e.o.Checksum
		if p.Mark&change.Content != 0 && !compared {
			b.unsure[p.Path] = true
		}
	}
	b.dropLong()
	return b
}

// run takes the batch through its steps. A step that ends with Again or Hold
// ends the batch.
func (b *batch) run(ctx context.Context) push.Result {
	hold := b.guard(ctx)
	if hold.outcome == push.Again || hold.outcome == push.Hold && b.removes {
		return b.result(hold)
	}
	for _, step := range []func(context.Context) verdict{b.send, b.compare, b.removeUnmoved} {
		v := step(ctx)
		if v.outcome == push.Again && b.makeRoom(ctx, v) {
			v = step(ctx)
		}
		if v.outcome == push.Again || v.outcome == push.Hold {
			return b.result(v)
		}
	}
	b.withheld = hold.outcome == push.Hold
	b.settle()
	return b.result(hold)
}

// result puts together what the batch came to; end is what ended it, or Done.
func (b *batch) result(end verdict) push.Result {
	res := push.Result{
		Outcome: end.outcome, Err: end.err, Cure: end.cure,
		Paths: b.plan.Len(), Bytes: b.bytes, Deleted: b.removed,
	}
	if b.plan.Full {
		res.Found, res.Verified = &b.found, b.e.o.Checksum
	}
	if end.outcome != push.Done && !b.withheld {
		return res
	}
	left := b.vanished
	changed := b.plan.Changed()
	fault.Point("rsync: overtaken looked for")
	left.Merge(changed)
	for path, mark := range b.failed.All() {
		left.Add(path, mark, b.set.SinceOf(path))
		// What failed because it changed under the transfer has not failed.
		if changed == nil || !changed.Covers(path) {
			res.Outcome, res.Err, res.Cure = push.Partly, b.why.err, b.why.cure
		}
	}
	if b.plan.Unread != nil {
		left.Merge(b.plan.Unread)
		res.Outcome = push.Partly
		if res.Err == nil {
			res.Err, res.Cure = b.plan.Err, unread(b.plan.Err)
		}
	}
	if b.withheld {
		left.Merge(b.removals())
		res.Outcome, res.Err, res.Cure = push.Hold, end.err, end.cure
	}
	if !left.Empty() {
		res.Left = left
	}
	return res
}

// unread is the cure for what the plan could not look at.
func unread(err error) string {
	if errors.Is(err, delta.ErrUnmounted) {
		return "mount it again, or restart inosyncd if it is not to come back"
	}
	return "let inosyncd read all of the source"
}

// removals are what the batch would look at for something to remove.
func (b *batch) removals() *change.Set {
	set := change.New(0)
	if b.plan.Full {
		set.Add("", change.AllBelow, b.set.SinceOf(""))
	}
	for i := range b.plan.Entries {
		if p := &b.plan.Entries[i]; p.Mark&change.AllBelow != 0 {
			set.Add(p.Path, change.AllBelow, b.set.SinceOf(p.Path))
		}
	}
	for _, m := range b.plan.Missing {
		set.Add(m.Path, change.Itself, b.set.SinceOf(m.Path))
	}
	return set
}

// send makes the entries that exist equal to the source's.
func (b *batch) send(ctx context.Context) verdict {
	if b.plan.Full {
		m := mode{whole: true, recurse: b.e.o.Recursive, delete: b.removes, leftovers: b.removes, exact: b.e.o.Checksum, exclude: b.plan.Held}
		return b.rsync(ctx, m, nil, b.set)
	}
	var deep, files, dirs []*delta.Entry
	for i := range b.plan.Entries {
		switch p := &b.plan.Entries[i]; {
		case p.Covered:
		case p.Mark&change.AllBelow != 0:
			deep = append(deep, p)
		case p.Dir():
			dirs = append(dirs, p)
		default:
			files = append(files, p)
		}
	}
	// rsync makes the directories above what is listed equal too, without
	// looking at what else is in them. Only those that it does not come by on
	// its way have to be listed, and never together with --recursive, which
	// would go through all of each.
	above := ancestors(deep, files)
	dirs = slices.DeleteFunc(dirs, func(p *delta.Entry) bool { return above[p.Path] })
	if len(deep) > 0 {
		m := mode{recurse: true, delete: b.removes, exact: b.e.o.Checksum, exclude: b.plan.Held}
		if v := b.rsyncEntries(ctx, m, append(deep, files...)); v.outcome != push.Done {
			return v
		}
		files = nil
	}
	return b.rsyncEntries(ctx, mode{delete: b.removes}, append(files, dirs...))
}

// ancestors returns the directories above the entries.
func ancestors(lists ...[]*delta.Entry) map[string]bool {
	above := map[string]bool{}
	for _, list := range lists {
		for _, p := range list {
			for dir := p.Path; dir != ""; {
				dir = parent(dir)
				if above[dir] {
					break
				}
				above[dir] = true
			}
		}
	}
	return above
}

// parent is the directory of path, "" being the root.
func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)]
}

func (b *batch) rsyncEntries(ctx context.Context, m mode, entries []*delta.Entry) verdict {
	if len(entries) == 0 {
		return verdict{}
	}
	paths := make([]string, 0, len(entries))
	scope := change.New(0)
	for _, p := range entries {
		paths = append(paths, p.Path)
		scope.Add(p.Path, p.Mark|change.Itself, b.set.SinceOf(p.Path))
	}
	return b.rsyncPaths(ctx, m, paths, scope)
}

// rsyncPaths runs rsync with a list of paths, in order and none of them twice.
// To rsync, the root means its entries too (-d, 3.5.0). But it comes along with
// any other path, and alone it can be sent with its entries excluded.
func (b *batch) rsyncPaths(ctx context.Context, m mode, paths []string, scope *change.Set) verdict {
	if paths[0] == "" && len(paths) > 1 {
		paths = paths[1:]
	}
	if paths[0] == "" {
		m = mode{bare: true}
	}
	return b.rsync(ctx, m, list(paths), scope)
}

// compare sends the files whose content was written and that look the same by
// size and time, unless their content is the same.
func (b *batch) compare(ctx context.Context) verdict {
	var entries []*delta.Entry
	for i := range b.plan.Entries {
		if p := &b.plan.Entries[i]; b.unsure[p.Path] {
			entries = append(entries, p)
		}
	}
	fault.Point("rsync: compare by content")
	return b.rsyncEntries(ctx, mode{exact: true}, entries)
}

// remove removes from the node what the source no longer has.
func (b *batch) remove(ctx context.Context) verdict {
	if !b.removes {
		return verdict{}
	}
	var all, plain, oneKind []string
	scope := change.New(0)
	for _, m := range b.plan.Missing {
		all = append(all, m.Path)
		if m.OneKind {
			oneKind = append(oneKind, m.Path)
		} else {
			plain = append(plain, m.Path)
		}
		scope.Add(m.Path, change.Itself, b.set.SinceOf(m.Path))
	}
	if len(plain) > 0 && !b.e.poorHand {
		fault.Point("rsync: delete")
		v := b.rsync(ctx, mode{delete: true, missing: true}, list(plain), scope)
		if v.outcome != push.Done {
			return v
		}
	}
	if b.e.poorHand {
		oneKind = all
	}
	return b.sweep(ctx, oneKind, scope)
}

// sweep removes paths from the node without --delete-missing-args: by comparing
// the directories they were in, with everything else left out. It serves the
// receivers that have that option broken (3.4.3 and some older ones with
// patches from it), and names that are excluded as one kind of entry only, which
// the option takes no notice of. Directories get their times here too.
func (b *batch) sweep(ctx context.Context, paths []string, scope *change.Set) verdict {
	if len(paths) == 0 {
		return verdict{}
	}
	m := mode{whole: true, recurse: true, delete: true, only: true, exclude: b.plan.Held}
	return b.rsync(ctx, m, removals(paths), scope)
}
