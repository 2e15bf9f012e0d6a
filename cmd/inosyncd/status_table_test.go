package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/status"
)

func TestPrintStatus(t *testing.T) {
	at := func(s int) *time.Time { return status.At(time.Date(2026, 3, 1, 12, 0, s, 0, time.Local)) }
	text := "connection refused\nby \x1b[31mfire"
	s := status.Status{
		Version: "1.0", PID: 7, Started: *at(0),
		Mirrors: []status.Mirror{
			{Name: "www", Nodes: []status.Node{
				{Node: "a.mirror.com:/var/www/", State: status.Success, InSync: true, LastSuccess: at(1), Drift: &status.Drift{At: *at(1), Created: 1, Deleted: 2}, Verification: &status.Verification{Ended: at(3), Differences: 4}},
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
1 of 3 nodes in sync; b:/x/ is 1m23s behind: connection refused\nby \x1b[31mfire; start it; and 1 more

MIRROR     NODE                    STATE    IN SYNC  LAG    PENDING  LAST PUSH
www        a.mirror.com:/var/www/  SUCCESS  yes      -      0        12:00:01
    drift repaired: created 1, updated 0, attributes 0, deleted 2 (2026-03-01 12:00:01)
    verification: 4 entries differ (2026-03-01 12:00:03); resync makes them equal
www        b:/x/                   FAILED   no       1m23s  12       never
    error: connection refused\nby \x1b[31mfire (2026-03-01 12:00:02)
    next try: 2026-03-01 12:00:09
    cure: start it
long name  /mnt/\t/                HELD     no       1.3s   0        never
    reason: too many
    cure: approve
`
	var b bytes.Buffer
	printStatus(&b, s, terminal{}, *at(30))
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("printStatus() (-want +got):\n%s", diff)
	}
}

// A terminal of 80 columns shows every line whole, in colours only where they
// are wanted, and never shortens the name to give a command.
func TestPrintStatusToATerminal(t *testing.T) {
	text := "rsync: [sender] failed to connect to d.mirror.com (192.0.2.4): Connection refused (111) (exit code 10)"
	name := "rsync://push@d.mirror.com:8873/www/a/rather/long/path/of/a/module/"
	s := status.Status{Mirrors: []status.Mirror{{Name: "www", Nodes: []status.Node{
		{Node: "a:/", State: status.Success, InSync: true},
		{Node: name, State: status.Failed, Pending: 1, LagSeconds: 14, LastError: &text, Cure: new("check that the node's rsync daemon or sshd runs, and its port")},
		{Node: "b:/", State: status.Syncing},
	}}}}
	var b bytes.Buffer
	printStatus(&b, s, terminal{there: true, width: 80}, time.Now())
	if strings.Contains(b.String(), "\x1b") {
		t.Errorf("printStatus() without colour: got %q", b.String())
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("printStatus(): a line has %d columns:\n%s", n, line)
		}
	}
	plain := b.String()
	for _, want := range []string{"1 of 3 nodes in sync;\n" + name + " is 14s\nbehind:", "\n    cure: check that the node's rsync"} {
		if !strings.Contains(plain, want) {
			t.Errorf("printStatus(): got no %q in\n%s", want, plain)
		}
	}
	b.Reset()
	printStatus(&b, s, terminal{there: true, width: 80, colour: true}, time.Now())
	for _, want := range []string{"\x1b[32mSUCCESS\x1b[0m  yes", "\x1b[31mFAILED\x1b[0m   no", "\x1b[33mSYNCING\x1b[0m  no"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("printStatus() in colour: got no %q in\n%q", want, b.String())
		}
	}
	bare := regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(b.String(), "")
	if diff := cmp.Diff(plain, bare); diff != "" {
		t.Errorf("printStatus(): colours change more than colours (-without +with):\n%s", diff)
	}
}

func TestRecent(t *testing.T) {
	now := time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC) // 2 March here, see TestMain
	for in, want := range map[time.Duration]string{0: "00:30:00", -29 * time.Minute: "00:01:00", -31 * time.Minute: "2026-03-01"} {
		if got := recent(status.At(now.Add(in)), now); got != want {
			t.Errorf("recent(%v before %v): got %q, want %q", -in, now, got, want)
		}
	}
	if got := recent(nil, now); got != "never" {
		t.Errorf("recent(nil): got %q, want never", got)
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		width      int
	}{
		{"short", "short", 5},
		{"a.mirror.com:/www/", "a.mi…www/", 9},
		{"äöüäöüäöü", "äö…öü", 5},
	} {
		if got := clip(tt.name, tt.width); got != tt.want {
			t.Errorf("clip(%q, %d): got %q, want %q", tt.name, tt.width, got, tt.want)
		}
	}
}
