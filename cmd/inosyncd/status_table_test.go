package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/status"
)

func TestPrintStatus(t *testing.T) {
	was := time.Local
	time.Local = time.UTC
	defer func() { time.Local = was }()
	at := func(s int) *time.Time { return status.At(time.Date(2026, 3, 1, 12, 0, s, 0, time.UTC)) }
	text := "connection refused\nby \x1b[31mfire"
	s := status.Status{
		Version: "1.0", PID: 7, Started: *at(0),
		Mirrors: []status.Mirror{
			{Name: "www", Nodes: []status.Node{
				{Node: "a.mirror.com:/var/www/", State: status.Success, InSync: true, LastSuccess: at(1)},
				{
					Node: "b:/x/", State: status.Failed, Pending: 12, LagSeconds: 83.4,
					LastError: &text, LastFailure: at(2), NextTry: at(9), Cure: new("start it"),
				},
			}},
			{Name: "long name", Nodes: []status.Node{
				{Node: "/mnt/\t/", State: status.Held, LagSeconds: 1.26, Held: &status.Hold{Reason: "too many", Cure: "approve"}},
			}},
		},
	}
	const want = `inosyncd 1.0, process 7, started 2026-03-01 12:00:00
1 of 3 nodes in sync; b:/x/ is 1m23s behind: connection refused\nby \x1b[31mfire; start it (and 1 more)

MIRROR     NODE                    STATE    IN SYNC  LAG    PENDING  LAST PUSH
www        a.mirror.com:/var/www/  SUCCESS  yes      -      0        2026-03-01 12:00:01
www        b:/x/                   FAILED   no       1m23s  12       never
    error: connection refused\nby \x1b[31mfire (2026-03-01 12:00:02)
    next try: 2026-03-01 12:00:09
    cure: start it
long name  /mnt/\t/                HELD     no       1.3s   0        never
    reason: too many
    cure: approve
`
	var b bytes.Buffer
	printStatus(&b, s)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("printStatus() (-want +got):\n%s", diff)
	}
}
