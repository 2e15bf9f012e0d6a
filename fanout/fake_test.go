package fanout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
	"inosyncd/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errDown = errors.New("connection refused")
	errFull = errors.New("no space left on device")
)

// fake is a node that answers as it is told. It notes the pushes it gets.
type fake struct {
	t       *testing.T
	closeOf error

	mu     sync.Mutex
	start  time.Time
	answer func(ctx context.Context, set *change.Set) push.Result // nil: Done
	seen   []string
	times  []time.Duration
	busy   bool
	closed int
	rests  int // since the last push
}

func newFake(t *testing.T) *fake { return &fake{t: t, start: time.Now()} }

func (f *fake) Push(ctx context.Context, set *change.Set) push.Result {
	f.mu.Lock()
	if f.busy || f.closed > 0 {
		f.t.Error("Push: another one runs, or the target is closed")
	}
	f.busy, f.rests = true, 0
	f.seen = append(f.seen, strings.Join(paths(set), " "))
	f.times = append(f.times, time.Since(f.start))
	answer := f.answer
	f.mu.Unlock()

	res := push.Result{Outcome: push.Done, Paths: set.Len(), Bytes: 10, Deleted: 1}
	if answer != nil {
		res = answer(ctx, set)
	}
	f.mu.Lock()
	f.busy = false
	f.mu.Unlock()
	return res
}

func (f *fake) Rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy || f.closed > 0 {
		f.t.Error("Rest: a push runs, or the target is closed")
	}
	f.rests++
}

// expectRest wants the target to have been let rest since its last push, or not.
func (f *fake) expectRest(want bool) {
	f.t.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := f.rests > 0; got != want {
		f.t.Errorf("the target rests: got %v, want %v", got, want)
	}
}

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return f.closeOf
}

func (f *fake) will(answer func(ctx context.Context, set *change.Set) push.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// got are the pushes since it was last asked, after everything has come to
// rest.
func (f *fake) got() []string {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen, f.times = nil, nil
	return seen
}

func (f *fake) expect(want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.got()); diff != "" {
		f.t.Errorf("pushes (-want +got):\n%s", diff)
	}
}

// Answers.

func down(context.Context, *change.Set) push.Result {
	return push.Result{Outcome: push.Again, Err: errDown, Cure: "start it"}
}

func full(context.Context, *change.Set) push.Result {
	return push.Result{Outcome: push.Hold, Err: errFull, Cure: "make room"}
}

func hang(ctx context.Context, _ *change.Set) push.Result {
	<-ctx.Done()
	return push.Result{Outcome: push.Again, Err: ctx.Err()}
}

// lasting takes d, and is Done.
func lasting(d time.Duration) func(context.Context, *change.Set) push.Result {
	return func(context.Context, *change.Set) push.Result {
		time.Sleep(d)
		return push.Result{Outcome: push.Done, Took: d}
	}
}

// refusing cannot make the given paths equal.
func refusing(bad ...string) func(context.Context, *change.Set) push.Result {
	return func(_ context.Context, set *change.Set) push.Result {
		left := change.New(0)
		for _, path := range bad {
			if set.Covers(path) {
				left.Add(path, change.Itself, set.Since())
			}
		}
		if left.Empty() {
			return push.Result{Outcome: push.Done}
		}
		return push.Result{Outcome: push.Partly, Left: left, Err: errors.New("permission denied")}
	}
}

func paths(set *change.Set) []string {
	var out []string
	for path := range set.All() {
		out = append(out, "/"+path)
	}
	return out
}

func of(paths ...string) *change.Set {
	s := change.New(0)
	for _, path := range paths {
		s.Add(path, change.Itself|change.Content, time.Now())
	}
	return s
}

// single starts one node, which is called "a".
func single(t *testing.T, no NodeOptions) (*Fanout, *fake, *labtest.Log) {
	t.Helper()
	log := &labtest.Log{}
	target := newFake(t)
	no.Name, no.Target = "a", target
	f := New(Options{
		Nodes: []NodeOptions{no},
		Log:   slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})).With("mirror", "www"),
	})
	t.Cleanup(f.Close)
	return f, target, log
}

// expectState compares the node's state and what is told of it.
func expectState(t *testing.T, f *Fanout, want string) {
	t.Helper()
	synctest.Wait()
	n := f.Snapshot()[0]
	got := fmt.Sprintf("%s %d", n.State, n.Pending)
	if n.LastError != nil {
		got += " err: " + *n.LastError
	}
	if n.Held != nil {
		got += fmt.Sprintf(" held: %s; %s", n.Held.Reason, n.Held.Cure)
	}
	if n.NextTry != nil {
		got += " next: " + n.NextTry.Sub(time.Now().UTC()).Round(time.Second).String()
	}
	if got != want {
		t.Errorf("Snapshot(): got %q, want %q", got, want)
	}
	if (n.State == status.Held) != (n.Held != nil) {
		t.Errorf("Snapshot(): state %s with held %v", n.State, n.Held)
	}
}

var clock = regexp.MustCompile(`(time|next_try)=\S+ ?`)

// logged are the lines since it was last called, without times.
func logged(log *labtest.Log) []string {
	synctest.Wait()
	text := strings.TrimSpace(clock.ReplaceAllString(log.Take(), ""))
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
