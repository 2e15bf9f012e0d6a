package fanout

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// TestAlive asks workers wherever they can be.
func TestAlive(t *testing.T) {
	stubborn := func(until chan struct{}) func(context.Context, *change.Set) push.Result {
		return func(context.Context, *change.Set) push.Result { <-until; return push.Result{} }
	}
	for _, tt := range []struct {
		name  string
		do    func(f *Fanout, target *fake, until chan struct{})
		after time.Duration
		want  string // "" is alive
	}{
		{"nothing to do", func(*Fanout, *fake, chan struct{}) {}, 0, ""},
		{"nothing to do for long", func(*Fanout, *fake, chan struct{}) {}, 24 * time.Hour, ""},
		{"waiting for the next try", func(f *Fanout, target *fake, _ chan struct{}) {
			target.will(down)
			f.Add(all())
		}, time.Second, ""},
		{"waiting for the rate", func(f *Fanout, _ *fake, _ chan struct{}) {
			f.Add(all())
			synctest.Wait()
			f.Add(all())
		}, time.Second, ""},
		{"waiting for a slot", func(f *Fanout, target *fake, until chan struct{}) {
			target.will(stubborn(until))
			f.Add(all())
		}, 24 * time.Hour, ""},
		{"a long push", func(f *Fanout, target *fake, until chan struct{}) {
			target.will(stubborn(until))
			f.Add(all())
		}, 24 * time.Hour, ""},
		{"a cancelled push", func(f *Fanout, target *fake, until chan struct{}) {
			target.will(stubborn(until))
			f.Add(all())
			synctest.Wait()
			f.Pause("n")
		}, endLimit / 2, ""},
		{"a cancelled push that does not end", func(f *Fanout, target *fake, until chan struct{}) {
			target.will(stubborn(until))
			f.Add(all())
			synctest.Wait()
			f.Pause("n")
		}, endLimit + time.Second, "n: a push was cancelled and has not ended for 1m1s"},
		{"a worker that hangs", func(f *Fanout, _ *fake, until chan struct{}) {
			f.nodes[0].log = slog.New(fullPipe{slog.DiscardHandler, until})
			f.Add(all())
		}, time.Second, "n: " + alive.ErrSilent.Error()},
		{"closed", func(f *Fanout, _ *fake, _ chan struct{}) { f.Close() }, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target, until := newFake(t), make(chan struct{})
				o := Options{Slots: NewSlots(1, 1), Nodes: []NodeOptions{{Name: "n", Target: target, Rate: 0.001}}}
				if tt.name == "waiting for a slot" {
					o.Nodes = append(o.Nodes, NodeOptions{Name: "second", Target: newFake(t)})
				}
				f := New(o)
				synctest.Wait()
				tt.do(f, target, until)
				synctest.Wait()
				time.Sleep(tt.after)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				err := f.Alive(ctx)
				cancel()
				if got := text(err); got != tt.want {
					t.Errorf("Alive(): got %q, want %q", got, tt.want)
				}
				close(until)
				f.Close()
			})
		})
	}
}

func all() *change.Set {
	s := change.New(0)
	s.Add("", change.AllBelow, time.Now())
	return s
}

// fullPipe is a log that nobody reads.
type fullPipe struct {
	slog.Handler
	until chan struct{}
}

func (fullPipe) Enabled(context.Context, slog.Level) bool { return true }

func (p fullPipe) Handle(context.Context, slog.Record) error { <-p.until; return nil }

// timed is a target that knows when its push is overdue.
type timed struct {
	*fake
	overdue error
}

func (t timed) Overdue() error { return t.overdue }

// TestAliveAsksTheTarget asks it while it pushes, and not otherwise.
func TestAliveAsksTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target := timed{newFake(t), errors.New("rsync does not end")}
		target.will(hang)
		f := New(Options{Nodes: []NodeOptions{{Name: "n", Target: target}}})
		if err := f.Alive(t.Context()); err != nil {
			t.Errorf("Alive() without a push: got %v, want nil", err)
		}
		f.Add(all())
		synctest.Wait()
		if got, want := text(f.Alive(t.Context())), "n: rsync does not end"; got != want {
			t.Errorf("Alive() in a push: got %q, want %q", got, want)
		}
		f.Close()
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
