package rsync

import (
	"context"
	"fmt"

	"inosyncd/internal/push"
)

// Approve lets the removals that were held last be made by the next push that is
// not broken off, and by no later one. It is bound to them: a batch that would
// remove something else is held again. It reports whether any were held.
func (e *Engine) Approve() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.approved = e.held
	return e.held != nil
}

// Holding reports whether Approve would let any removals be made.
func (e *Engine) Holding() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.held != nil
}

// approval is what is approved now; nil is nothing.
func (e *Engine) approval() *deletions {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.approved
}

// settle ends the approval that the batch had, used or not: what is left over would
// let the same paths go some other day. One that was given meanwhile is for the
// next batch.
func (b *batch) settle() {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if b.e.approved == b.approved {
		b.e.approved = nil
	}
	if b.released && !b.withheld {
		b.e.held = nil
	}
}

// allowed reports whether the batch may remove what it has counted, where limit
// entries are free.
func (b *batch) allowed(limit int) bool {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if b.doomed.n <= limit {
		return true
	}
	if b.approved != nil && b.doomed.within(b.approved) {
		b.released = true
		return true
	}
	b.e.held = new(b.doomed) // not a pointer that keeps all of the batch
	return false
}

// guard counts, by dry runs, what the batch would remove from the node, where
// that matters: because there is a limit, or because a source that was empty
// when it was first compared is to empty the node. If it is too much, the batch
// goes on without removing anything and is held at its end.
//
// A dry run can count too many: it knows nothing of what the batch moves. It
// counts too few only if more vanishes from the source after it, or if it could
// not read what can be read later. So the runs that follow are bounded too.
func (b *batch) guard(ctx context.Context) verdict {
	if !b.removes {
		return verdict{}
	}
	hollow, err := b.hollow()
	if err != nil {
		return verdict{push.Again, err, "let inosyncd read the source directory"}
	}
	if b.e.o.MaxDelete <= 0 && !hollow {
		return verdict{}
	}
	b.dry = true
	for _, step := range []func(context.Context) verdict{b.send, b.remove} {
		if v := step(ctx); v.outcome != push.Done {
			return v
		}
	}
	b.dry, b.removed, b.bytes = false, 0, 0
	n := b.doomed.n
	limit := max(b.e.o.MaxDelete, 0)
	if hollow {
		limit = 0
	}
	if b.allowed(limit) {
		b.limited, b.limit = true, max(n, limit)
		if hollow {
			b.e.hollow = false // that is settled
		}
		return verdict{}
	}
	b.removes = false
	if hollow {
		b.e.hollow = true
		return verdict{
			push.Hold, fmt.Errorf("the source was empty at first, and %d entries would be removed from the node", n),
			"check that the source is what it should be; if it is, release the removals: inosyncd approve NODE",
		}
	}
	return verdict{
		push.Hold, fmt.Errorf("%d entries would be removed from the node, and max_delete is %d", n, b.e.o.MaxDelete),
		"if the removals are meant: inosyncd approve NODE, or a higher max_delete",
	}
}

// bounded has a run that removes stop, by rsync's own count, at what the batch may
// remove still. That counts what pushes that broke off have left as well.
func (b *batch) bounded(m mode) mode {
	if b.dry || !b.limited || !m.delete {
		return m
	}
	m.limited, m.limit = true, max(0, b.limit-b.removed)
	if m.leftovers {
		m.limit += b.litter
	}
	return m
}

// hollow reports whether the batch compares the whole of a source that is empty,
// and has been for as long as the engine knows it; or that was, and has kept a
// comparison from removing anything. A file that somebody leaves in the mount
// point of a volume does not make it the source: that takes an approval, or a
// source that has all that the node has. One that was emptied while it was
// watched is what it is.
func (b *batch) hollow() (bool, error) {
	switch {
	case b.e.filled:
		return false, nil
	case !b.plan.Full:
		named := len(b.plan.Entries) > 0 && b.plan.Entries[len(b.plan.Entries)-1].Path != ""
		b.e.filled = named && !b.e.hollow
		return false, nil
	}
	empty, err := b.plan.Empty()
	b.e.filled = err == nil && !empty && !b.e.hollow
	return empty || b.e.hollow, err
}
