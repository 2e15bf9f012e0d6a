package rsync

import (
	"context"
	"errors"

	"inosyncd/delta"
	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// makeRoom removes what is gone from a node that had no room for what is new,
// and reports whether there was anything: then it is worth trying once more.
//
// Sends come before removals so that a moved file is somewhere at all times.
// Where there is no room to have it twice that cannot be, and to insist on it
// would have a full node wait for a person for ever. So this is done only when
// sending has failed for want of room, and what was to be sent follows at once.
func (b *batch) makeRoom(ctx context.Context, v verdict) bool {
	if _, full := errors.AsType[noRoom](v.err); !full || !b.removes || b.dry {
		return false
	}
	before := b.removed
	for _, step := range []func(context.Context) verdict{b.prune, b.remove} {
		if v := step(ctx); v.outcome == push.Again || v.outcome == push.Hold {
			break // what has kept it from that ends the next attempt too
		}
	}
	b.e.log.Debug("made room", "removed", b.removed-before)
	return b.removed > before
}

// prune removes what the node has too many of in the directories that are
// compared whole, and sends nothing. What has another type at the node than in
// the source stays: a run that sends replaces it.
func (b *batch) prune(ctx context.Context) verdict {
	m := mode{recurse: true, delete: true, prune: true, exclude: b.plan.Held}
	if b.plan.Full {
		m.whole, m.recurse = true, b.e.o.Recursive
		return b.rsync(ctx, m, nil, b.removals())
	}
	var deep []*delta.Entry
	for i := range b.plan.Entries {
		if p := &b.plan.Entries[i]; !p.Covered && p.Mark&change.AllBelow != 0 {
			deep = append(deep, p)
		}
	}
	return b.rsyncEntries(ctx, m, deep)
}
