package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/config"
	"inosyncd/debounce"
	"inosyncd/fanout"
	"inosyncd/internal/change"
	"inosyncd/internal/control"
	"inosyncd/internal/filter"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
	"inosyncd/watcher"
)

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"real/sub", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"tree": "real", "real/link": "../other", "other/back": "../real/sub"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	at := func(p string) string { return dir + "/" + p }
	cfg := &config.Config{Mirrors: []config.Mirror{
		{Name: "www", WPath: at("tree/")},
		{Name: "sub", WPath: at("real/sub/")},
		{Name: "gone", WPath: at("gone/tree/")},
	}}
	for _, tt := range []struct {
		name, path string
		want       []string
	}{
		{"by the link that wpath is", at("tree/f"), []string{"www f file"}},
		{"by where it leads", at("real/f"), []string{"www f file"}},
		{"wpath itself", at("tree"), []string{"www  dir"}},
		{"a directory", at("real/sub"), []string{"www sub dir", "sub  dir"}},
		{"in two mirrors", at("real/sub/f"), []string{"www sub/f file", "sub f file"}},
		{"with a slash, not there", at("real/d/"), []string{"www d dir"}},
		{"with dots", at("other/../real/./f"), []string{"www f file"}},
		{"below what is not there", at("real/a/b/c"), []string{"www a/b/c file"}},
		{"a link in the tree", at("real/link"), []string{"www link file"}},
		{"out of the tree by a link", at("real/link/f"), nil},
		{"into the tree by a link", at("other/back/f"), []string{"www sub/f file", "sub f file"}},
		{"outside", at("other/f"), nil},
		{"beside, a longer name", at("realf"), nil},
		{"a source that is not there", at("gone/tree/f"), []string{"gone f file"}},
	} {
		var got []string
		for _, p := range locate(cfg, tt.path) {
			kind := "file"
			if p.dir {
				kind = "dir"
			}
			got = append(got, p.mirror.Name+" "+p.path+" "+kind)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: locate(%q) (-want +got):\n%s", tt.name, tt.path, diff)
		}
	}
}

func TestJudge(t *testing.T) {
	rules, err := filter.Parse([]filter.Line{
		{Text: "+ keep.tmp", File: "c", Number: 3}, {Text: "*.tmp", File: "c", Number: 4}, {Text: ".own/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		in   place
		want string // what is printed after "mirrored: "
	}{
		{"no rule", place{config.Mirror{Enabled: true, Recursive: true, Rules: rules}, "a/b", false}, "yes no rule matches"},
		{"included", place{config.Mirror{Enabled: true, Recursive: true, Rules: rules}, "keep.tmp", false}, `yes included: rule "+ keep.tmp" (c:3)`},
		{"excluded", place{config.Mirror{Enabled: true, Recursive: true, Rules: rules}, "x.tmp", false}, `no excluded: rule "*.tmp" (c:4)`},
		{"below an excluded directory", place{config.Mirror{Enabled: true, Recursive: true, Rules: rules}, "x.tmp/y", false}, `no excluded: rule "*.tmp" (c:4)`},
		{"the daemon's own", place{config.Mirror{Enabled: true, Recursive: true, Rules: rules}, ".own", true}, `no inosyncd keeps unfinished files under this name: rule ".own/"`},
		{"disabled", place{config.Mirror{Recursive: true}, "a", false}, "no the mirror is disabled"},
		{"not recursive", place{config.Mirror{Enabled: true}, "a/b", false}, "no the mirror is not recursive"},
		{"not recursive, above", place{config.Mirror{Enabled: true}, "a", true}, "yes no rule matches"},
	} {
		e := tt.in.judge()
		if got := yesNo(e.Mirrored) + " " + verdictText(e); got != tt.want {
			t.Errorf("%s: judge(%q): got %q, want %q", tt.name, tt.in.path, got, tt.want)
		}
	}
}

func TestStanding(t *testing.T) {
	at := func(s int) *time.Time { return status.At(time.Date(2026, 3, 1, 12, 0, s, 0, time.Local)) }
	for _, tt := range []struct {
		name string
		in   control.Path
		want string
	}{
		{"pushed by name", control.Path{LastPush: at(2), Remembered: at(0), LastFullSync: at(1)}, "confirmed, last push 2026-03-01 12:00:02"},
		{"pushed, then compared", control.Path{LastPush: at(2), Remembered: at(0), LastFullSync: at(3)}, "confirmed, last push 2026-03-01 12:00:02, last full sync 2026-03-01 12:00:03"},
		{"compared alone", control.Path{Remembered: at(2), LastFullSync: at(3)}, "confirmed, not pushed since 2026-03-01 12:00:02, last full sync 2026-03-01 12:00:03"},
		{"nothing yet", control.Path{Remembered: at(2)}, "nothing is pending, not pushed since 2026-03-01 12:00:02, last full sync never"},
		{
			"failed",
			control.Path{Pending: true, State: status.Failed, Why: "refused", Cure: "start it", NextTry: at(9), LastPush: at(2)},
			"pending, last push 2026-03-01 12:00:02\n    FAILED: refused\n    next try: 2026-03-01 12:00:09\n    cure: start it",
		},
		{
			"strange words",
			control.Path{Pending: true, State: status.Held, Why: "a\nb", Cure: "\x1b", LastPush: at(2)},
			"pending, last push 2026-03-01 12:00:02\n    HELD: a\\nb\n    cure: \\x1b",
		},
		{"waits", control.Path{Pending: true, State: status.Success, LastPush: at(2)}, "pending, last push 2026-03-01 12:00:02\n    SUCCESS"},
	} {
		if got := standing(tt.in); got != tt.want {
			t.Errorf("%s: standing(%+v):\n got %q\nwant %q", tt.name, tt.in, got, tt.want)
		}
	}
}

// The usual place may be read-only, as for a service that is confined; one that
// somebody has chosen may not.
func TestServeControl(t *testing.T) {
	runtime, err := os.MkdirTemp("", "run") //nolint:usetesting // its path is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(runtime)
	const bad = "/nowhere/at/all/sock"
	for _, tt := range []struct {
		name, dir string
		usual     bool
		served    bool
		err, log  string
	}{
		{"chosen", runtime, false, false, bad, ""},
		{"usual", "", true, false, "", "running without a control socket"},
		{"usual, as a service", runtime, true, true, "", ""},
		{"usual, as a service without its directory", "/nowhere", true, false, "", "running without a control socket"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("RUNTIME_DIRECTORY", tt.dir)
			var log bytes.Buffer
			s := &supervisor{log: slog.New(slog.NewTextHandler(&log, nil))}
			err := s.serveControl(bad, tt.usual)
			defer s.closeControl()
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("serveControl(%q): got %v, want %q", bad, err, tt.err)
			}
			if !strings.Contains(log.String(), tt.log) || tt.log == "" && log.Len() > 0 {
				t.Errorf("serveControl(%q): logged %q, want %q", bad, log.String(), tt.log)
			}
			if served := s.control != nil; served != tt.served {
				t.Fatalf("serveControl(%q): got served %v, want %v", bad, served, tt.served)
			}
			if tt.served && s.control.Path() != filepath.Join(tt.dir, "control.sock") {
				t.Errorf("serveControl(%q): got it at %q, want it in %q", bad, s.control.Path(), tt.dir)
			}
		})
	}
}

// agreeable is a target that has everything at once.
type agreeable struct{}

func (agreeable) Push(context.Context, *change.Set) push.Result { return push.Result{} }

func (agreeable) Rest() {}

func (agreeable) Close() error { return nil }

// waiting is a mirror without a watcher, whose one node has everything at once.
func waiting(t *testing.T) (*desk, *mirror) {
	t.Helper()
	dir := t.TempDir()
	nc := config.Node{Name: "n", Enabled: true}
	m := &mirror{
		cfg:   config.Mirror{Name: "www", Enabled: true, Recursive: true, WPath: dir + "/", Nodes: []config.Node{nc}},
		nodes: fanout.New(fanout.Options{Nodes: []fanout.NodeOptions{{Name: "n", Target: agreeable{}}}}),
	}
	m.queue = debounce.Start(debounce.Options{Mask: change.DefaultMask}, m.nodes.Add)
	t.Cleanup(func() {
		m.queue.Close()
		m.nodes.Close()
	})
	d := &desk{}
	d.publish(&config.Config{Mirrors: []config.Mirror{m.cfg}}, []*mirror{m})
	return d, m
}

// ended fails the test unless err comes soon.
func ended(t *testing.T, err <-chan error) error {
	t.Helper()
	select {
	case e := <-err:
		return e
	case <-time.After(labtest.Limit):
		t.Fatal("Wait(): got no end, want one")
		return nil
	}
}

// A source that is not watched may have changed unseen: nobody can say that
// all is on the nodes.
func TestWaitForTheWatcher(t *testing.T) {
	if done, err := new(desk).reached(t.Context(), &wait{}); done || err != nil {
		t.Errorf("reached() before anything runs: got %v, %v, want false", done, err)
	}
	d, m := waiting(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Wait(ctx, "") }()
	cancel()
	if err := ended(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait() without a watcher: got %v, want that it waits", err)
	}
	go func() { done <- d.Wait(t.Context(), m.cfg.WPath+"x") }()
	m.seen.begin(deaf{})
	if err := ended(t, done); err != nil {
		t.Errorf("Wait(): got %v when the source is watched, want nil", err)
	}
	if s := d.Status().Mirrors[0].Nodes[0]; s.Pushes == 0 {
		t.Errorf("Wait() with a watcher that cannot tell: got %d pushes, want that the path was compared", s.Pushes)
	}
	if _, err := d.Order(control.Pause, []string{"www"}); err != nil {
		t.Errorf("Order(pause, www): %v", err)
	}
	m.queue.AddAll()
	ctx, cancel = context.WithCancel(t.Context())
	go func() { done <- d.Wait(ctx, "") }()
	for len(m.nodes.Touching("")) == 0 {
		time.Sleep(time.Millisecond)
	}
	if s := d.Status().Mirrors[0].Nodes[0]; s.InSync || s.Held == nil || s.Held.Reason != "paused" {
		t.Errorf("Status() of a paused node: got %+v, want it held and not in sync", s)
	}
	cancel()
	if err := ended(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait() for a paused node: got %v, want that it waits", err)
	}
}

// What was noticed after the wait began is not waited for.
func TestWaitIsNotForEver(t *testing.T) {
	_, m := waiting(t)
	m.nodes.Pause("n")
	before := time.Now()
	m.queue.Add(change.Event{Path: "a/b", AllBelow: true})
	for len(m.nodes.Touching("a/b")) == 0 {
		time.Sleep(time.Millisecond)
	}
	for _, tt := range []struct {
		name, path string
		since      time.Time
		want       bool
	}{
		{"noticed later", "a/b", before, true},
		{"noticed before", "a/b", time.Now(), false},
		{"noticed before, above", "a", time.Now(), false},
		{"noticed before, all", "", time.Now(), false},
		{"noticed before, beside", "a/c", time.Now(), true},
	} {
		if got := m.confirmed(tt.path, tt.since); got != tt.want {
			t.Errorf("%s: confirmed(%q): got %v, want %v", tt.name, tt.path, got, tt.want)
		}
	}
}

func TestWaitForAMirrorThatDoesNotRun(t *testing.T) {
	d, m := waiting(t)
	d.publish(&config.Config{Mirrors: []config.Mirror{m.cfg}}, nil)
	if err := d.Wait(t.Context(), ""); !errors.Is(err, errNotRunning) {
		t.Errorf("Wait(): got %v, want %v", err, errNotRunning)
	}
	if s := d.Status().Mirrors[0]; s.Held == nil || len(s.Nodes) != 1 || s.Nodes[0].Held == nil {
		t.Errorf("Status(): got %+v, want the mirror and its node held", s)
	}
}

// From its first answer on the daemon knows what it is to mirror. A status
// without mirrors would read as if all of them were in sync.
func TestWhileStarting(t *testing.T) {
	_, m := waiting(t)
	d := new(desk)
	d.expect(&config.Config{Mirrors: []config.Mirror{m.cfg}})
	s := d.Status()
	if len(s.Mirrors) != 1 || len(s.Mirrors[0].Nodes) != 1 {
		t.Fatalf("Status(): got %+v, want the mirror and its node", s)
	}
	if n := s.Mirrors[0].Nodes[0]; n.State != status.Pending || n.InSync || s.Mirrors[0].Held != nil {
		t.Errorf("Status(): got %+v, want a node that is PENDING", n)
	}
	if done, err := d.reached(t.Context(), &wait{}); done || err != nil {
		t.Errorf("reached(): got %v, %v, want to wait", done, err)
	}
	if _, err := d.Order(control.Resync, nil); !errors.Is(err, errStarting) {
		t.Errorf("Order(): got %v, want %v", err, errStarting)
	}
	if err := (webDesk{d}).Ready(); err == nil {
		t.Error("Ready(): got nil, want an error")
	}
}

// Nothing is in sync where something can go unnoticed.
func TestInSyncNeedsTheWatcher(t *testing.T) {
	d, m := waiting(t)
	m.queue.Resync(m.nodes.Add)
	if !m.nodes.Drain(t.Context()) {
		t.Fatal("Drain(): got false, want all confirmed")
	}
	for _, tt := range []struct {
		name string
		w    watcher.Watcher
		want bool
	}{
		{"not watched", nil, false},
		{"watched", deaf{}, true},
		{"directories without a watch", deaf{unwatched: 1}, false},
		{"a gap to come", deaf{behind: true}, false},
	} {
		m.seen.begin(tt.w)
		if got := d.Status().Mirrors[0].Nodes[0].InSync; got != tt.want {
			t.Errorf("%s: in_sync: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// What waits for its delay, or for its writer, is pending at every node.
func TestNotInSyncWithTheQueue(t *testing.T) {
	d, m := waiting(t)
	m.queue.Close()
	m.queue = debounce.Start(debounce.Options{Mask: change.DefaultMask, Delay: time.Hour, OpenLimit: time.Hour}, m.nodes.Add)
	m.queue.Resync(m.nodes.Add)
	m.seen.begin(deaf{})
	if !m.nodes.Drain(t.Context()) {
		t.Fatal("Drain(): got false, want all confirmed")
	}
	for pending, ev := range []change.Event{
		{},
		{Path: "open", Mask: unix.IN_CREATE, Writing: true},
		{Path: "closed", Mask: unix.IN_CLOSE_WRITE},
	} {
		if pending > 0 {
			m.queue.Add(ev)
		}
		n := d.Status().Mirrors[0].Nodes[0]
		if n.Pending != pending || n.InSync != (pending == 0) || n.Since.IsZero() != (pending == 0) {
			t.Errorf("with %d in the queue: got %d pending since %v, in_sync %v", pending, n.Pending, n.Since, n.InSync)
		}
	}
}

// The status is printed again when it has changed, until the user has enough.
func TestWatchStatus(t *testing.T) {
	d, m := waiting(t)
	path := filepath.Join(t.TempDir(), "s")
	server, err := control.Serve(path, d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skipf("needs a shorter path for temporary files: %v", err)
	}
	defer server.Close()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := (&app{stdout: w}).watchStatus(ctx, control.NewClient(path), true)
		_ = w.Close()
		done <- err
	}()
	seen := make([]byte, 4096)
	n, err := r.Read(seen)
	if err != nil || !bytes.Contains(seen[:n], []byte(`"state":"PENDING"`)) {
		t.Errorf("first: got %q, %v, want the node pending", seen[:n], err)
	}
	m.nodes.Pause("n")
	n, err = r.Read(seen)
	if err != nil || !bytes.Contains(seen[:n], []byte(`"state":"HELD"`)) {
		t.Errorf("then: got %q, %v, want the node held", seen[:n], err)
	}
	cancel()
	if err := ended(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("watchStatus(): got %v, want %v", err, context.Canceled)
	}
}

// deaf is a watcher that cannot tell how far it has come.
type deaf struct {
	unwatched int
	behind    bool
}

func (d deaf) Stats() watcher.Stats {
	return watcher.Stats{Watches: 1, Unwatched: d.unwatched, Behind: d.behind}
}
func (deaf) Alive(context.Context) error { return nil }
func (deaf) Done() <-chan struct{}       { return nil }
func (deaf) Err() error                  { return nil }
func (deaf) Close() error                { return nil }

// A name with control bytes can neither add a line nor change the terminal.
func TestExplainedNamesAreEscaped(t *testing.T) {
	var b strings.Builder
	printExplanations(&b, "/w/a\n  mirrored: no\x1b[31m\xff", []control.Explanation{{Mirror: "w", Mirrored: true, Reason: "no rule matches"}})
	const want = `/w/a\n  mirrored: no\x1b[31m\xff
  mirror:   w
  mirrored: yes: no rule matches
  pending:  unknown, as no daemon answers
`
	if got := b.String(); got != want {
		t.Errorf("printExplanations: got\n%q, want\n%q", got, want)
	}
}
