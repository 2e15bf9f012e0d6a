package fanout

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// finding is a push that finds so many paths updated.
func finding(outcome push.Outcome, names ...string) func(context.Context, *change.Set) push.Result {
	return func(_ context.Context, set *change.Set) push.Result {
		res := push.Result{Outcome: outcome, Took: time.Minute}
		if set.IsFull() {
			res.Found = new(push.Found)
			for _, name := range names {
				res.Found.Add(name, push.Updated)
			}
		}
		time.Sleep(time.Minute)
		return res
	}
}

func TestAudit(t *testing.T) {
	all := change.Full
	for _, tt := range []struct {
		name   string
		before func(f *Fanout, target *fake) // the audit
		during func(f *Fanout)
		finds  []string
		drift  int
		log    string
	}{
		{"nothing", nil, nil, nil, 0, ""},
		{"on the node", nil, nil, []string{"a", "d/x", ""}, 3, `created=0 updated=3 attributes=0 deleted=0 list="[a d/x .]"`},
		{"many", nil, nil, []string{"1", "2", "3", "4", "5", "6"}, 6, `updated=6 attributes=0 deleted=0 list="[1 2 3 4 5]"`},
		{"control bytes", nil, nil, []string{"a\x1b\n"}, 1, `list="[a\x1b\n]"`},
		{"pending at the start", func(f *Fanout, target *fake) {
			target.will(down)
			f.Add(of("d/x"))
			synctest.Wait()
		}, nil, []string{"a", "d/x", "d"}, 1, `list=[a]`},
		{"in the running push", func(f *Fanout, _ *fake) {
			f.Add(of("a"))
			synctest.Wait()
		}, nil, []string{"a", "b"}, 1, `list=[b]`},
		{"added meanwhile", nil, func(f *Fanout) { f.Add(of("a")) }, []string{"a", "b"}, 1, `list=[b]`},
		{"a gap meanwhile", nil, func(f *Fanout) { f.Add(all(time.Now())) }, []string{"a", "b"}, 0, ""},
		{"a full sync is pending", func(f *Fanout, target *fake) {
			target.will(down)
			f.Add(all(time.Now()))
			synctest.Wait()
		}, nil, []string{"a"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, target, log := single(t, NodeOptions{})
				target.will(finding(push.Done, "at", "the", "start"))
				f.Add(all(time.Now()))
				time.Sleep(time.Hour)
				if tt.before != nil {
					tt.before(f, target)
				}
				f.Audit(all(time.Now()))
				target.will(finding(push.Done, tt.finds...))
				f.Kick("a")
				time.Sleep(30 * time.Second) // the audit runs, if nothing ran before
				if tt.during != nil {
					tt.during(f)
				}
				time.Sleep(time.Hour)
				expectDrift(t, f, tt.drift, tt.drift)
				lines := strings.Join(logged(log), "\n")
				if (tt.log != "") != strings.Contains(lines, "drift repaired") || !strings.Contains(lines, tt.log) {
					t.Errorf("log: got %s\nwant drift repaired with %q", lines, tt.log)
				}

				target.will(finding(push.Done)) // the next one finds nothing
				f.Audit(all(time.Now()))
				time.Sleep(time.Hour)
				expectDrift(t, f, 0, tt.drift)
				f.Add(all(time.Now())) // and what is no audit does not look
				target.will(finding(push.Done, "a"))
				time.Sleep(time.Hour)
				expectDrift(t, f, 0, tt.drift)
			})
		})
	}
}

// An audit lasts until its comparison has succeeded.
func TestAuditThatBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: time.Minute})
		f.Add(change.Full(time.Now()))
		synctest.Wait()
		target.will(finding(push.Again, "a", "b"))
		f.Audit(change.Full(time.Now()))
		time.Sleep(61 * time.Second)
		f.Add(of("c"))
		target.will(finding(push.Done, "c", "d"))
		time.Sleep(time.Hour)
		expectDrift(t, f, 3, 3)
	})
}

// Audits that follow closely, or while the node is down, are audits all the same.
func TestAuditUponAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{})
		f.Add(change.Full(time.Now()))
		synctest.Wait()
		f.Pause("a")
		f.Audit(change.Full(time.Now()))
		f.Audit(change.Full(time.Now()))
		target.will(finding(push.Done, "a"))
		f.Unpause("a")
		time.Sleep(30 * time.Second)
		target.will(finding(push.Done, "b", "c"))
		f.Audit(change.Full(time.Now())) // while the other runs
		time.Sleep(time.Hour)
		expectDrift(t, f, 2, 3)
		f.Add(change.Full(time.Now())) // none is left over
		time.Sleep(time.Hour)
		expectDrift(t, f, 2, 3)
	})
}

func expectDrift(t *testing.T, f *Fanout, last, all int) {
	t.Helper()
	synctest.Wait()
	n := f.Snapshot()[0]
	got := 0
	if n.Drift != nil {
		got = n.Drift.Len()
		if n.Drift.At.IsZero() {
			t.Errorf("Snapshot(): got drift %+v, want its time", n.Drift)
		}
	}
	if got != last || n.Repaired != uint64(all) {
		t.Errorf("Snapshot(): got drift %+v, repaired %d, want %d, %d", n.Drift, n.Repaired, last, all)
	}
}

func TestLastVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, target, _ := single(t, NodeOptions{RetryMin: time.Hour})
		expect := func(want *time.Time) {
			t.Helper()
			synctest.Wait()
			got := f.Snapshot()[0].LastVerified
			if (got == nil) != (want == nil) || got != nil && !got.Equal(*want) {
				t.Errorf("last_verified: got %v, want %v", got, want)
			}
		}
		f.Add(change.Full(time.Now()))
		expect(nil) // it was compared, but not by content
		time.Sleep(time.Minute)
		if f.Verified("b") || !f.Verified("a") {
			t.Error("Verified(): got the wrong node")
		}
		first := status.At(time.Now())
		expect(first)
		for _, outcome := range []push.Outcome{push.Again, push.Partly, push.Hold} {
			target.will(func(context.Context, *change.Set) push.Result {
				return push.Result{Outcome: outcome, Verified: true}
			})
			time.Sleep(time.Minute)
			f.Add(change.Full(time.Now()))
			f.Kick("a")
			expect(first)
		}
		target.will(func(context.Context, *change.Set) push.Result { return push.Result{Verified: true} })
		time.Sleep(time.Minute)
		f.Kick("a")
		expect(status.At(time.Now()))
	})
}
