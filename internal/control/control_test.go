package control_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"inosyncd/internal/control"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a daemon that notes what it is asked.
type fake struct {
	mu      sync.Mutex
	asked   []string
	err     error // that it answers
	level   slog.LevelVar
	waiting chan struct{} // gets one for each Wait that has begun; nil: no Wait blocks
}

func (f *fake) note(s string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, s)
	return f.err
}

func (f *fake) Status() status.Status {
	_ = f.note("status")
	return status.Status{Version: "1.0", PID: 7, Mirrors: []status.Mirror{}}
}

func (f *fake) Wait(ctx context.Context, path string) error {
	if f.waiting != nil {
		f.waiting <- struct{}{}
		<-ctx.Done()
		f.waiting <- struct{}{}
		return ctx.Err()
	}
	return f.note("wait " + path)
}

func (f *fake) Verified(n control.Node) error { return f.note("verified " + n.Mirror + " " + n.Node) }

func (f *fake) LogLevel() *slog.LevelVar { return &f.level }

func (f *fake) Explain(path string) ([]control.Explanation, error) {
	return []control.Explanation{{Mirror: "www", Mirrored: true}}, f.note("explain " + path)
}

func (f *fake) Order(o control.Order, names []string) ([]control.Node, error) {
	return []control.Node{{Mirror: "www", Node: "a"}}, f.note(string(o) + " " + strings.Join(names, ","))
}

// serve answers at a socket in a directory of its own; unix(7) wants its path
// short.
func serve(t *testing.T, d control.Daemon) (*control.Server, string) {
	t.Helper()
	path := filepath.Join(shortDir(t), "sock")
	s, err := control.Serve(path, d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("Serve(%q): %v", path, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
	})
	return s, path
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "control") //nolint:usetesting // its path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestQuestionsAndOrders(t *testing.T) {
	f := &fake{}
	_, path := serve(t, f)
	c := control.NewClient("/nowhere/sock", path)
	ctx := t.Context()
	const odd = "/w/\xff\n%2f+&a=b #?"

	s, err := c.Status(ctx)
	if err != nil || s.PID != 7 || s.Version != "1.0" {
		t.Errorf("Status(): got %+v, %v, want what the daemon says", s, err)
	}
	for _, p := range []string{"", odd} {
		if err := c.Wait(ctx, p); err != nil {
			t.Errorf("Wait(%q): %v", p, err)
		}
	}
	es, err := c.Explain(ctx, odd)
	if diff := cmp.Diff([]control.Explanation{{Mirror: "www", Mirrored: true}}, es); err != nil || diff != "" {
		t.Errorf("Explain(%q): got %v, want the daemon's (-want +got):\n%s", odd, err, diff)
	}
	for _, o := range []control.Order{control.Pause, control.Resume, control.Resync, control.Approve, control.Verify} {
		nodes, err := c.Order(ctx, o, []string{"a", "b c&d"})
		if diff := cmp.Diff([]control.Node{{Mirror: "www", Node: "a"}}, nodes); err != nil || diff != "" {
			t.Errorf("Order(%s): got %v (-want +got):\n%s", o, err, diff)
		}
	}
	if err := c.Verified(ctx, control.Node{Mirror: "w w", Node: "b c&d"}); err != nil {
		t.Errorf("Verified(): %v", err)
	}
	want := []string{
		"status", "wait ", "wait " + odd, "explain " + odd,
		"pause a,b c&d", "resume a,b c&d", "resync a,b c&d", "approve a,b c&d", "verify a,b c&d",
		"verified w w b c&d",
	}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Errorf("the daemon was asked (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	f := &fake{err: errors.New("it is Sunday")}
	_, path := serve(t, f)
	c := control.NewClient(path)
	if err := c.Wait(t.Context(), ""); err == nil || err.Error() != "it is Sunday" {
		t.Errorf("Wait(): got %v, want what the daemon says", err)
	}
	f.err = &control.UsageError{Msg: "no such node"}
	_, err := c.Order(t.Context(), control.Pause, nil)
	if e, ok := errors.AsType[*control.UsageError](err); !ok || e.Msg != "no such node" {
		t.Errorf("Order(): got %v, want the usage error", err)
	}
}

func TestTooLongAQuestion(t *testing.T) {
	_, path := serve(t, &fake{})
	c := control.NewClient(path)
	if _, err := c.Explain(t.Context(), "/"+strings.Repeat("a", 50<<10)); err != nil {
		t.Errorf("Explain() of a long path: %v", err)
	}
	_, err := c.Explain(t.Context(), "/"+strings.Repeat("a", 64<<10))
	if e, ok := errors.AsType[*control.UsageError](err); !ok || !strings.Contains(e.Msg, "too long") {
		t.Errorf("Explain() of a path that is too long: got %v, want a usage error that says so", err)
	}
}

func TestNotRunning(t *testing.T) {
	path := filepath.Join(shortDir(t), "sock")
	for _, c := range []*control.Client{control.NewClient(path), control.NewClient(path, "/nowhere/sock")} {
		_, err := c.Status(t.Context())
		if e, ok := errors.AsType[*control.NotRunningError](err); !ok || e.Path != path {
			t.Errorf("Status(): got %v, want that nobody answers at %q", err, path)
		}
	}
}

func TestLevel(t *testing.T) {
	f := &fake{}
	_, path := serve(t, f)
	for _, tt := range []struct {
		query, want string
		level       slog.Level
	}{
		{"", `{"level":"info"}`, slog.LevelInfo},
		{"?level=debug", `{"level":"debug"}`, slog.LevelDebug},
		{"", `{"level":"debug"}`, slog.LevelDebug},
		{"?level=error", `{"level":"error"}`, slog.LevelError},
		{"?level=INFO", `{"error":"the level \"INFO\" is none of [\"debug\" \"info\" \"warn\" \"error\"]"}`, slog.LevelError},
	} {
		_, body := raw(t, path, "POST /level"+tt.query+" HTTP/1.1\r\nHost: x\r\n\r\n")
		if body != tt.want || f.level.Level() != tt.level {
			t.Errorf("POST /level%s: got %s, level %v, want %s, %v", tt.query, body, f.level.Level(), tt.want, tt.level)
		}
	}
}

// Whatever is asked, the answer says in words what is wrong with it.
func TestRefusals(t *testing.T) {
	_, path := serve(t, &fake{})
	for _, tt := range []struct {
		name    string
		request string // without the end of its head
		code    int
		want    string
	}{
		{"no HTTP", "HELLO", 400, ""},
		{"no such place", "GET /nothing HTTP/1.1", 404, `there is no \"/nothing\" here`},
		{"wrong method", "GET /pause HTTP/1.1", 405, `/pause is asked by POST, not by GET`},
		{"an order by its link", "GET /resync?node=a HTTP/1.1", 405, `by POST`},
		{"unknown argument", "GET /status?node=a HTTP/1.1", 400, `no argument \"node\"`},
		{"broken escape", "GET /explain?path=%zz HTTP/1.1", 400, `reading the query`},
		{"relative path", "GET /explain?path=a/b HTTP/1.1", 400, `not absolute`},
		{"empty path", "POST /wait?path= HTTP/1.1", 400, `not absolute`},
		{"NUL", "POST /wait?path=/a%00b HTTP/1.1", 400, `not absolute`},
		{"two paths", "GET /explain?path=/a&path=/b HTTP/1.1", 400, `one path`},
		{"no path", "GET /explain HTTP/1.1", 404, `which path`},
		{"verified, of no mirror", "POST /verified?node=a HTTP/1.1", 404, `which mirror`},
		{"verified, twice", "POST /verified?mirror=m&node=a&node=b HTTP/1.1", 404, `which node`},
		{"no such level", "POST /level?level=loud HTTP/1.1", 404, `the level \"loud\" is none of [\"debug\"`},
		{"level by its link", "GET /level HTTP/1.1", 405, `by POST`},
		{"no node", "POST /approve HTTP/1.1", 404, `which node`},
		{"a body", "POST /pause HTTP/1.1\r\nContent-Length: 3", 400, `no body`},
		{"a body of any length", "POST /pause HTTP/1.1\r\nTransfer-Encoding: chunked", 400, `no body`},
		{"too long", "GET /explain?path=/" + strings.Repeat("a", 100<<10) + " HTTP/1.1", 431, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, body := raw(t, path, tt.request+"\r\nHost: x\r\n\r\n")
			if code != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("%.80s: got %d %s, want %d with %q", tt.request, code, body, tt.code, tt.want)
			}
			if tt.want != "" && !strings.HasPrefix(body, `{"error":"`) {
				t.Errorf("%.80s: got %s, want JSON", tt.request, body)
			}
		})
	}
}

// raw sends text and reads the answer.
func raw(t *testing.T, path, text string) (code int, body string) {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(labtest.Limit))
	go func() { _, _ = conn.Write([]byte(text)) }() // the answer may come before its end
	resp, err := readResponse(conn)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	defer resp.Body.Close()
	all, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(bytes.TrimSpace(all))
}

func TestWaitEndsWithItsClient(t *testing.T) {
	f := &fake{waiting: make(chan struct{})}
	_, path := serve(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- control.NewClient(path).Wait(ctx, "") }()
	<-f.waiting
	cancel()
	<-f.waiting // the daemon has seen it
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait(): got %v, want %v", err, context.Canceled)
	}
}

// Many who wait do not keep others from asking, nor the daemon from ending.
func TestManyWait(t *testing.T) {
	f := &fake{waiting: make(chan struct{}, 200)}
	s, path := serve(t, f)
	const allowed = 48
	results := make(chan error, allowed)
	leaving, leave := context.WithCancel(context.Background())
	defer leave()
	for i := range allowed {
		ctx := context.Background()
		if i == 0 {
			ctx = leaving
		}
		go func() { results <- control.NewClient(path).Wait(ctx, "/w") }()
		<-f.waiting
	}
	c := control.NewClient(path)
	if err := c.Wait(t.Context(), "/w"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("Wait(): got %v, want that too many are waiting", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("Status(): got %v while many wait, want an answer", err)
	}
	leave() // its place is another's
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait(): got %v of one that leaves, want that", err)
	}
	<-f.waiting // the daemon has seen it
	labtest.Eventually(t, func() error {
		refused := make(chan error, 1)
		go func() {
			err := control.NewClient(path).Wait(context.Background(), "/w")
			if err != nil && strings.Contains(err.Error(), "too many") {
				refused <- err
				return
			}
			results <- err
		}()
		select {
		case err := <-refused:
			return err
		case <-f.waiting:
			return nil
		}
	})
	if err := s.Close(); err != nil {
		t.Errorf("Close(): %v", err)
	}
	for range allowed {
		if err := <-results; err == nil || err.Error() != "the daemon is stopping" {
			t.Fatalf("Wait(): got %v when the daemon stops, want that it does", err)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Lstat(%q) after Close: got %v, want that it is gone", path, err)
	}
}

func TestAnswersAreJSON(t *testing.T) {
	_, path := serve(t, &fake{})
	code, body := raw(t, path, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
	const want = `{"version":"1.0","pid":7,"started":"0001-01-01T00:00:00Z","mirrors":[]}`
	if code != http.StatusOK || body != want {
		t.Errorf("GET /status: got %d %s, want %s", code, body, want)
	}
}

// slow is a daemon whose status takes until it is let go.
type slow struct {
	fake
	began, end chan struct{}
}

func (s *slow) Status() status.Status {
	s.began <- struct{}{}
	<-s.end
	return s.fake.Status()
}

// No more than 64 requests are worked at; another is turned away, and told so.
func TestManyRequests(t *testing.T) {
	d := &slow{began: make(chan struct{}), end: make(chan struct{})}
	_, path := serve(t, d)
	c := control.NewClient(path)
	const allowed = 64
	results := make(chan error, allowed)
	for range allowed {
		go func() {
			_, err := c.Status(context.Background())
			results <- err
		}()
		<-d.began
	}
	if _, err := c.Explain(t.Context(), "/w"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("Explain(): got %v, want that there are too many requests", err)
	}
	close(d.end)
	for range allowed {
		if err := <-results; err != nil {
			t.Errorf("Status(): %v", err)
		}
	}
	if _, err := c.Explain(t.Context(), "/w"); err != nil {
		t.Errorf("Explain() when the others are done: %v", err)
	}
}
