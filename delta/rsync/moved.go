package rsync

import (
	"context"
	"slices"
	"time"

	"inosyncd/delta"
	"inosyncd/internal/change"
)

// moveLimit is how long a removal waits at most for a file that is moved on and
// on. Where files come and go all the time something has always vanished.
const moveLimit = 5 * time.Second

// removeUnmoved removes what is gone, but nothing lately gone while something
// that was to be sent has vanished: that may have been the file under its new
// name, moved on since. The removal then goes around with it, so that the old
// name stays at the node until one that holds the file has arrived. An approved
// batch does not wait, as its approval ends with it.
func (b *batch) removeUnmoved(ctx context.Context) verdict {
	if !b.vanished.Empty() && !b.released {
		b.plan.Missing = slices.DeleteFunc(b.plan.Missing, func(m delta.Missing) bool {
			since := b.set.SinceOf(m.Path)
			young := time.Since(since) < moveLimit
			if young {
				b.vanished.Add(m.Path, change.Itself, since)
			}
			return young
		})
	}
	return b.remove(ctx)
}
