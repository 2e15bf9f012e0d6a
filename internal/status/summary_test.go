package status_test

import (
	"testing"

	"inosyncd/internal/status"
)

func TestSummary(t *testing.T) {
	text := func(s string) *string { return &s }
	good := status.Node{Node: "a", State: status.Success, InSync: true}
	off := status.Node{Node: "off", State: status.Held, Held: &status.Hold{Reason: "disabled"}, Disabled: true}
	failed := status.Node{Node: "b", State: status.Failed, LagSeconds: 14.2, LastError: text("refused"), Cure: text("start it")}
	unknown := status.Node{Node: "b", State: status.Failed, LagSeconds: 14.2, LastError: text("refused")}
	busy := status.Node{Node: "c", State: status.Syncing, LagSeconds: 99, Pending: 1}
	held := status.Node{Node: "d", State: status.Held, Held: &status.Hold{Reason: "full", Cure: "make room"}}
	for _, tt := range []struct {
		name  string
		nodes []status.Node
		want  string
	}{
		{"none", nil, "0 of 0 nodes in sync"},
		{"all well", []status.Node{good, good}, "2 of 2 nodes in sync"},
		{"disabled ones do not count", []status.Node{good, off}, "1 of 1 nodes in sync"},
		{"failed", []status.Node{good, failed}, "1 of 2 nodes in sync; b is 14s behind: refused; start it"},
		{"no cure is known", []status.Node{unknown}, "0 of 1 nodes in sync; b is 14s behind: refused"},
		{"trouble before lag", []status.Node{busy, failed, good}, "1 of 3 nodes in sync; b is 14s behind: refused; start it; and 1 more"},
		{"the longer lag", []status.Node{held, failed}, "0 of 2 nodes in sync; b is 14s behind: refused; start it; and 1 more"},
		{"held without a lag", []status.Node{held}, "0 of 1 nodes in sync; d is not in sync: full; make room"},
		{"a push runs", []status.Node{busy}, "0 of 1 nodes in sync; c is 1m39s behind: a push is running"},
		{"never synced", []status.Node{{Node: "e", State: status.Pending}}, "0 of 1 nodes in sync; e is not in sync: not synced yet"},
		{"pretended", []status.Node{{Node: "e", State: status.Pending, Pretended: true}}, "0 of 1 nodes in sync; e is not in sync: nothing is sent, as the daemon was started with -p; start it without"},
		{"waits for its push", []status.Node{{Node: "e", State: status.Success, Pending: 1, LagSeconds: 0.24}}, "0 of 1 nodes in sync; e is 200ms behind: changes wait for their push"},
		{"a gap", []status.Node{{Node: "e", State: status.Success}}, "0 of 1 nodes in sync; e is not in sync: not all of the source is watched"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := status.Status{Mirrors: []status.Mirror{{Name: "www", Nodes: tt.nodes}}}
			if got := s.Summary(); got != tt.want {
				t.Errorf("Summary():\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTally(t *testing.T) {
	s := status.Status{Mirrors: []status.Mirror{{Nodes: []status.Node{
		{State: status.Success, InSync: true}, {State: status.Syncing, InSync: true}, {State: status.Failed},
	}}, {Nodes: []status.Node{
		{State: status.Failed, Disabled: true}, {State: status.Held}, {State: status.Held}, {State: status.Pending}, {State: status.Success},
	}}}}
	if got, want := s.Tally(), (status.Tally{All: 7, InSync: 2, Failed: 1, Held: 2}); got != want {
		t.Errorf("Tally(): got %+v, want %+v", got, want)
	}
}

// TestTroubleOfAPausedNode wants a hold to be explained where nothing is pending,
// too: whoever sees HELD asks why.
func TestTroubleOfAPausedNode(t *testing.T) {
	n := status.Node{State: status.Held, InSync: true, Held: &status.Hold{Reason: "paused", Cure: "resume it"}}
	if reason, cure := n.Trouble(); reason != "paused" || cure != "resume it" {
		t.Errorf("Trouble(): got %q, %q, want the reason and the cure of the hold", reason, cure)
	}
}
