package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"inosyncd/delta/rsync"
	"inosyncd/internal/change"
	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

// verified is what the status says of a node's verification.
func verified(v *verifier, name string) status.Node {
	m := status.Mirror{Name: "www", Nodes: []status.Node{{Node: name}}}
	v.complete(&m)
	return m.Nodes[0]
}

// quick is a comparison that finds these differences.
func quick(cure string, err error, found ...rsync.Difference) comparison {
	return func(_ context.Context, tell func(rsync.Difference)) (string, error) {
		for _, d := range found {
			tell(d)
		}
		return cure, err
	}
}

func TestVerifierTells(t *testing.T) {
	var many []rsync.Difference
	for i := range 3 * maxFirst {
		many = append(many, rsync.Difference{Path: strings.Repeat("x", i), Kind: "content, times"})
	}
	for _, tt := range []struct {
		name        string
		compare     comparison
		differences int
		equal       bool
		err, cure   string
		log         string
	}{
		{"equal", quick("", nil), 0, true, "", "", "level=INFO msg=verified"},
		{"different", quick("", nil, many...), len(many), false, "", "resync makes them equal", "level=WARN msg=verified"},
		{
			"not to be reached", quick("start it", errors.New("connection refused"), rsync.Difference{Path: "a", Kind: "missing"}),
			1, false, "connection refused", "start it", `level=ERROR msg="verification failed"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var v verifier
				defer v.close()
				pending := func(path string) bool { return path == "x" }
				equal := false
				if err := v.start(control.Node{Mirror: "www", Node: "n"}, subject{
					slog.New(slog.NewTextHandler(&log, nil)), pending, func() { equal = true }, tt.compare,
				}); err != nil {
					t.Fatalf("start(): %v", err)
				}
				synctest.Wait()
				n := verified(&v, "n")
				got := n.Verification
				if got == nil || got.Running || got.Ended == nil || got.Differences != tt.differences || len(got.First) != min(tt.differences, maxFirst) {
					t.Fatalf("verification: got %+v, want it ended with %d differences", got, tt.differences)
				}
				if equal != tt.equal {
					t.Errorf("told that it is equal: got %v, want %v", equal, tt.equal)
				}
				text := func(s *string) string {
					if s == nil {
						return ""
					}
					return *s
				}
				if text(got.Error) != tt.err || text(got.Cure) != tt.cure || !strings.Contains(log.String(), tt.log) {
					t.Errorf("verification: got error %q, cure %q, log %s, want %q, %q, %s", text(got.Error), text(got.Cure), log.String(), tt.err, tt.cure, tt.log)
				}
				if tt.differences > 2 && got.Pending != 1 {
					t.Errorf("verification: got %d pending differences, want 1", got.Pending)
				}
			})
		})
	}
}

// A node is compared once at a time, a few nodes are at once, and the rest wait
// for them. Whoever is gone, or the end of the daemon, ends what runs.
func TestVerifierIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v verifier
		running := map[string]bool{}
		release := make(chan struct{})
		begin := func(name string) error {
			s := subject{log: slog.New(slog.DiscardHandler), equal: func() {}}
			s.compare = func(ctx context.Context, _ func(rsync.Difference)) (string, error) {
				running[name] = true // synctest.Wait orders this with its readers
				select {
				case <-ctx.Done():
					return "", ctx.Err()
				case <-release:
					return "", nil
				}
			}
			return v.start(control.Node{Mirror: "www", Node: name}, s)
		}
		for _, name := range []string{"a", "b", "c", "d"} {
			if err := begin(name); err != nil {
				t.Fatalf("start(%s): %v", name, err)
			}
			synctest.Wait()
		}
		if err := begin("c"); !errors.Is(err, errVerifying) {
			t.Errorf("start(c) again: got %v, want %v", err, errVerifying)
		}
		if len(running) != maxVerifications || !running["a"] || !running["b"] || !verified(&v, "c").Verification.Running {
			t.Errorf("at once: got %v, want a and b, and the others waiting", running)
		}
		release <- struct{}{}
		synctest.Wait()
		if !running["c"] || running["d"] {
			t.Errorf("after the first: got %v, want c and not d", running)
		}
		v.keep(func(n control.Node) bool { return n.Node == "d" })
		synctest.Wait()
		if !running["d"] || verified(&v, "c").Verification != nil {
			t.Errorf("after a reload without a, b and c: got %v, want d and nothing known of c", running)
		}
		v.close()
		if err := begin("e"); !errors.Is(err, errStopped) {
			t.Errorf("start() after close(): got %v, want %v", err, errStopped)
		}
	})
}

// What differs in content alone is not seen by a comparison of sizes and times,
// so resync is told.
func TestResyncKnowsWhatDiffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v verifier
		n := control.Node{Mirror: "www", Node: "n"}
		all := change.New(0)
		all.Add("", change.AllBelow, time.Now())
		if got := v.withContent(n, all); got != all {
			t.Error("withContent() before a verification: got another set, want the same")
		}
		compare := quick("", nil, rsync.Difference{Path: "a/b", Kind: "content"}, rsync.Difference{Path: "c", Kind: "missing"})
		if err := v.start(n, subject{slog.New(slog.DiscardHandler), func(string) bool { return false }, func() {}, compare}); err != nil {
			t.Fatal(err)
		}
		v.done.Wait()
		var marked []string
		for path, mark := range v.withContent(n, all).All() {
			if mark&change.Content != 0 {
				marked = append(marked, path)
			}
		}
		if !slices.Equal(marked, []string{"a/b"}) {
			t.Errorf("withContent(): got %q to compare by content, want a/b", marked)
		}
		for _, mark := range all.All() {
			if mark&change.Content != 0 {
				t.Error("withContent(): it has changed the set that it was given")
			}
		}
	})
}

func TestVerifyNeedsRsync(t *testing.T) {
	d, m := waiting(t)
	n := control.Node{Mirror: "www", Node: "n"}
	if err := d.verify(m, control.Node{Mirror: "www", Node: "x"}); err == nil {
		t.Error("verify() of a node that is not there: got nil, want an error")
	}
	d.pretend = true
	if err := d.verify(m, n); !errors.Is(err, errPretending) {
		t.Errorf("verify() by a daemon that pretends: got %v, want %v", err, errPretending)
	}
}
