package delta

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/filter"
	"inosyncd/internal/push"
	"inosyncd/internal/source"
)

// Pretend is an engine that sends nothing and logs what it would send.
type Pretend struct {
	Source    *source.Root
	Rules     *filter.Rules
	Recursive bool
	Log       *slog.Logger // has the attributes mirror and node
}

// Push logs the paths that a push of set would name, relative to the source,
// "." for the root.
func (p Pretend) Push(_ context.Context, set *change.Set) push.Result {
	start := time.Now()
	plan, err := NewPlan(p.Source, p.Rules, p.Recursive, set)
	if err != nil {
		res := Unplanned(err)
		res.Pretended = true
		return res
	}
	defer plan.Close()
	if list := plan.List(); len(list) > 0 {
		p.Log.Info("would push", "paths", len(list), "list", list)
	}
	res := push.Result{Pretended: true, Took: time.Since(start)}
	if plan.Unread != nil {
		res.Outcome, res.Left, res.Err = push.Partly, plan.Unread, plan.Err
	}
	return res
}

// Unplanned is the result of a push whose plan could not be made for err.
func Unplanned(err error) push.Result {
	if errors.Is(err, source.ErrGone) {
		return push.Result{
			Outcome: push.Hold, Err: err,
			Cure: "bring the source back: mirroring goes on by itself, and nothing is deleted meanwhile",
		}
	}
	return push.Result{Outcome: push.Again, Err: err}
}

// Rest does nothing: nothing is kept between pushes.
func (p Pretend) Rest() {}

// Close does nothing.
func (p Pretend) Close() error { return nil }
