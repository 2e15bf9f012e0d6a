package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"inosyncd/config"
	"inosyncd/debounce"
	"inosyncd/fanout"
	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

// manager is systemd's end of the notification socket.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	path := filepath.Join(labtest.Dir(t), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn, path}
}

// next returns the next message, "" when none is there and wait has passed.
func (m *manager) next(wait time.Duration) string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		m.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := m.conn.Read(buf)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		m.t.Fatal(err)
	}
	return strings.TrimSuffix(string(buf[:n]), "\n")
}

// there is enough for a message that has been sent: a deadline that has passed
// already would keep Read from looking.
const there = 50 * time.Millisecond

// drain forgets what has been sent.
func (m *manager) drain() {
	for {
		if m.next(there) == "" {
			return
		}
	}
}

// expect reads messages until one matches.
func (m *manager) expect(pattern string) {
	m.t.Helper()
	var got []string
	for deadline := time.Now().Add(labtest.Limit); time.Now().Before(deadline); {
		msg := m.next(time.Until(deadline))
		if regexp.MustCompile("^(?:" + pattern + ")$").MatchString(msg) {
			return
		}
		got = append(got, msg)
	}
	m.t.Fatalf("waiting for %q: got %q", pattern, slices.Compact(got))
}

// TestNotify runs the daemon as systemd does.
func TestNotify(t *testing.T) {
	labtest.Need(t, "rsync")
	rsync, _ := exec.LookPath("rsync")
	dir, m := labtest.Dir(t), newManager(t)
	conf := filepath.Join(dir, "conf")
	text := fmt.Sprintf("wpath: %[1]s/src\nrnodes: [%[1]s/dst]\nrsync: %s\ncontrol: %[1]s/control\n", dir, rsync)
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "src"), 0o755), os.WriteFile(conf, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("inosyncd", "-c", conf) // TestMain has made the program
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=1000000")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Logf("log:\n%s", &log)
	})
	m.expect("STATUS=setting watches")
	m.expect("READY=1")
	m.expect("STATUS=[01] of 1 nodes in sync.*")
	m.expect("WATCHDOG=1")
	m.expect("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	m.expect(`RELOADING=1\nMONOTONIC_USEC=[0-9]+`)
	m.expect("READY=1")
	m.expect("WATCHDOG=1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.expect(`STOPPING=1\nSTATUS=pushing what is pending`)
	_ = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), exitSignal+int(syscall.SIGTERM); got != want {
		t.Errorf("stopped: got exit code %d, want %d", got, want)
	}
}

// TestWatchdog wants no word to systemd for as long as a stage hangs.
func TestWatchdog(t *testing.T) {
	for _, stage := range []string{"watcher", "queue", "nodes"} {
		t.Run(stage, func(t *testing.T) {
			log := &syncedLog{more: make(chan struct{}, 100)}
			s := &supervisor{log: slog.New(slog.NewTextHandler(log, nil))}
			h := newHanging(t, stage)
			s.desk.publish(&config.Config{}, []*mirror{h.mirror})
			m := newManager(t)
			t.Setenv("NOTIFY_SOCKET", m.path)
			t.Setenv("WATCHDOG_USEC", "800000")
			defer s.keepTelling()()

			m.expect("WATCHDOG=1")
			m.expect("WATCHDOG=1")
			h.hang()
			log.forget()
			log.wait(t) // a round has failed: those that began before hang are over
			m.drain()
			log.wait(t)
			log.wait(t)
			if got := m.next(there); got != "" {
				t.Errorf("after two more rounds: got %q, want nothing", got)
			}
			if want := "mirror=www stage=" + stage + " "; !strings.Contains(log.String(), want) {
				t.Errorf("log: got\n%s\nwant %q", log, want)
			}
			h.release()
			m.expect("WATCHDOG=1")
		})
	}
}

// hanging is a mirror of which a stage can be made to hang.
type hanging struct {
	mirror  *mirror
	release func()
	hang    func()
}

func newHanging(t *testing.T, stage string) *hanging {
	held := make(chan struct{})
	h := &hanging{release: sync.OnceFunc(func() { close(held) }), mirror: &mirror{cfg: config.Mirror{Name: "www"}}}
	node := &stuck{}
	h.mirror.nodes = fanout.New(fanout.Options{Nodes: []fanout.NodeOptions{{Name: "n", Target: node}}})
	entered := make(chan struct{}, 1)
	h.mirror.queue = debounce.Start(debounce.Options{}, func(*change.Set) { entered <- struct{}{}; <-held })
	t.Cleanup(func() {
		h.release()
		h.mirror.queue.Close()
		h.mirror.nodes.Close()
	})
	switch stage {
	case "watcher":
		w := &mute{until: held}
		h.mirror.seen.begin(w)
		h.hang = func() { w.set(true) }
	case "queue":
		h.hang = func() { h.mirror.queue.AddAll(); <-entered }
	case "nodes":
		pushing := make(chan struct{})
		node.push = func(ctx context.Context) {
			close(pushing)
			select {
			case <-held:
			case <-ctx.Done():
			}
			node.set(false)
		}
		h.hang = func() {
			all := change.New(0)
			all.Add("", change.AllBelow, time.Now())
			h.mirror.nodes.Add(all)
			<-pushing
			node.set(true)
		}
	}
	return h
}

// mark can be set by one goroutine and read by another.
type mark struct {
	mu sync.Mutex
	on bool
}

func (f *mark) set(on bool) { f.mu.Lock(); f.on = on; f.mu.Unlock() }
func (f *mark) get() bool   { f.mu.Lock(); defer f.mu.Unlock(); return f.on }

// mute is a watcher that does not answer.
type mute struct {
	deaf
	mark
	until chan struct{}
}

func (w *mute) Alive(ctx context.Context) error {
	if !w.get() {
		return nil
	}
	select {
	case <-w.until:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stuck is a target whose push can be overdue.
type stuck struct {
	mark
	push func(ctx context.Context)
}

func (s *stuck) Push(ctx context.Context, _ *change.Set) push.Result {
	s.push(ctx)
	return push.Result{}
}

func (s *stuck) Overdue() error {
	if s.get() {
		return errors.New("rsync does not end")
	}
	return nil
}

func (*stuck) Rest() {}

func (*stuck) Close() error { return nil }

// syncedLog is a log that can be read while it is written.
type syncedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // a value for each line, up to its capacity
}

func (l *syncedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(b)
}

func (l *syncedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// forget has wait wait for lines that are written from now on.
func (l *syncedLog) forget() {
	for len(l.more) > 0 {
		<-l.more
	}
}

// wait waits for a line.
func (l *syncedLog) wait(t *testing.T) {
	t.Helper()
	select {
	case <-l.more:
	case <-time.After(labtest.Limit):
		t.Fatalf("no line is logged; so far:\n%s", l)
	}
}

func TestStatusLine(t *testing.T) {
	node := func(s status.State, inSync bool) status.Node { return status.Node{State: s, InSync: inSync} }
	for _, tt := range []struct {
		want  string
		nodes []status.Node
	}{
		{"0 of 0 nodes in sync", nil},
		{"1 of 2 nodes in sync", []status.Node{node(status.Success, true), node(status.Syncing, false)}},
		{
			"0 of 3 nodes in sync, 2 FAILED, 1 HELD",
			[]status.Node{node(status.Held, false), node(status.Failed, false), node(status.Failed, false)},
		},
		{"1 of 1 nodes in sync", []status.Node{node(status.Success, true), {State: status.Held, Disabled: true}}},
	} {
		if got := statusLine(status.Status{Mirrors: []status.Mirror{{Nodes: tt.nodes}}}); got != tt.want {
			t.Errorf("statusLine: got %q, want %q", got, tt.want)
		}
	}
}
