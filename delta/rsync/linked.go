package rsync

import (
	"context"

	"inosyncd/delta"
	"inosyncd/internal/change"
)

// plan makes the plan of a push, and the set that it is of: set, or more if a file in
// it has names that are not.
func (e *Engine) plan(ctx context.Context, set *change.Set) (*delta.Plan, *change.Set, error) {
	plan, err := delta.NewPlan(e.o.Source, e.o.Rules, e.o.Recursive, set)
	if err != nil {
		return nil, nil, err
	}
	more, err := e.withNames(ctx, plan, set)
	if more == nil && err == nil {
		return plan, set, nil
	}
	_ = plan.Close()
	if err != nil {
		return nil, nil, err
	}
	plan, err = delta.NewPlan(e.o.Source, e.o.Rules, e.o.Recursive, more)
	return plan, more, err
}

// withNames is set and what it lacks because files in it have several names, nil for
// nothing. A node that is to have no hard links gets such a file under each.
func (e *Engine) withNames(ctx context.Context, plan *delta.Plan, set *change.Set) (*change.Set, error) {
	switch {
	case plan.Full:
		return nil, nil
	case e.o.HardLinks:
		// rsync links what it sees in one run. The other names of a file can be
		// anywhere, so it has to see everything.
		linked, err := plan.Linked(ctx)
		if err != nil || !linked {
			return nil, err
		}
		more := set.Clone()
		more.Add("", change.AllBelow, set.Since())
		return more, nil
	}
	names, err := plan.OtherNames(ctx)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	more := set.Clone()
	for _, name := range names {
		more.Add(name, change.Itself|change.Content, set.Since())
	}
	return more, nil
}
