package status_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/status"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))

// The field names and their order are what scripts of users rely on.
func TestJSON(t *testing.T) {
	s := status.Status{
		Version: "1.0", PID: 7, Started: *status.At(t0),
		Mirrors: []status.Mirror{{
			Name: "www", WPath: "/var/www/", Watches: 120,
			Nodes: []status.Node{{
				Node: "a:/var/www/", State: status.Held, Pending: 2, LagSeconds: 1.5,
				LastSuccess: status.At(t0), Held: &status.Hold{Reason: "full", Cure: "make room"},
				Pushes: 12, Failures: 1, BytesSent: 34567, Deleted: 3,
				Drift: &status.Drift{At: *status.At(t0), Created: 1, Updated: 2, Attributes: 3, Deleted: 4}, Repaired: 10,
				Since: t0, Synced: true,
			}},
		}},
	}
	const want = `{"version":"1.0","pid":7,"started":"2026-03-01T11:00:00.123Z",` +
		`"mirrors":[{"name":"www","wpath":"/var/www/","watches":120,"held":null,` +
		`"nodes":[{"node":"a:/var/www/","state":"HELD","in_sync":false,"pending":2,` +
		`"lag_seconds":1.5,"last_success":"2026-03-01T11:00:00.123Z","last_full_sync":null,` +
		`"last_verified":null,"last_error":null,"last_failure":null,"cure":null,"next_try":null,` +
		`"held":{"reason":"full","cure":"make room"},` +
		`"pushes":12,"failures":1,"bytes_sent":34567,"deleted":3,"drift":{"at":"2026-03-01T11:00:00.123Z","created":1,"updated":2,"attributes":3,"deleted":4},"repaired":10}]}]}`
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("Marshal(%+v): %v", s, err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Marshal (-want +got):\n%s", diff)
	}
}

func TestAccount(t *testing.T) {
	type input struct {
		node    status.Node
		pending int
		since   time.Time
		covered bool
	}
	now := t0.Add(10 * time.Second)
	tests := []struct {
		name string
		in   input
		sync bool
		lag  float64
	}{
		{"all confirmed", input{node: status.Node{Synced: true}, covered: true}, true, 0},
		{"never compared", input{covered: true}, false, 0},
		{"a gap in what was seen", input{node: status.Node{Synced: true}}, false, 0},
		{"pending at the node", input{status.Node{Synced: true, Pending: 1, Since: t0}, 0, time.Time{}, true}, false, 10},
		{"pending before the node", input{status.Node{Synced: true}, 1, t0, true}, false, 10},
		{"the oldest counts", input{status.Node{Synced: true, Pending: 1, Since: t0.Add(4 * time.Second)}, 1, t0, true}, false, 10},
		{"the oldest counts, the other way", input{status.Node{Synced: true, Pending: 1, Since: t0}, 1, t0.Add(4 * time.Second), true}, false, 10},
		{"a clock set back is no lag", input{status.Node{Synced: true}, 1, t0.Add(time.Minute), true}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := tt.in.node
			n.Account(tt.in.pending, tt.in.since, tt.in.covered, now)
			if n.InSync != tt.sync || n.LagSeconds != tt.lag {
				t.Errorf("Account(%+v): got in_sync %v, lag %v, want %v, %v", tt.in, n.InSync, n.LagSeconds, tt.sync, tt.lag)
			}
			if want := tt.in.node.Pending + tt.in.pending; n.Pending != want {
				t.Errorf("Account(%+v): got pending %d, want %d", tt.in, n.Pending, want)
			}
		})
	}
}

func TestAtZeroIsNull(t *testing.T) {
	if got := status.At(time.Time{}); got != nil {
		t.Errorf("At(zero): got %v, want nil", got)
	}
}
