package web

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inosyncd/internal/control"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/nodelog"
	"inosyncd/internal/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a daemon that notes its orders.
type fake struct {
	mu     sync.Mutex
	status status.Status // guarded by mu
	ready  error
	err    error    // of an order
	orders []string // guarded by mu
	lines  []nodelog.Line
}

func (f *fake) Status() status.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fake) set(s status.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = s
}

func (f *fake) Log(control.Node) []nodelog.Line { return f.lines }

func (f *fake) Ready() error { return f.ready }

func (f *fake) Runs(n control.Node) bool {
	return n.Mirror != "off" && !strings.HasPrefix(n.Node, "off")
}

func (f *fake) Orders(status.Mirror, status.Node) []control.Order {
	return []control.Order{control.Pause, control.Resync, control.Verify}
}

func (f *fake) Order(o control.Order, n control.Node) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, fmt.Sprintf("%s %s %s", o, n.Mirror, n.Node))
	return f.err
}

// sample is a daemon with a node that is well, one that failed, one that is
// held and one that is disabled.
func sample() status.Status {
	t := time.Date(2026, 3, 4, 5, 6, 7, 500e6, time.UTC)
	later := t.Add(time.Minute)
	failure, cure := "no route to host", "switch it on"
	return status.Status{Version: "1.2", PID: 7, Started: t, Mirrors: []status.Mirror{
		{Name: "www", WPath: "/var/www/", Watches: 12, Nodes: []status.Node{
			{
				Node: "a:/w/", State: status.Success, InSync: true, LastSuccess: &later, LastFullSync: &t,
				Pushes: 5, BytesSent: 34567, Deleted: 3, Repaired: 6, LastVerified: &t,
			},
			{
				Node: "b:/w/", State: status.Failed, Pending: 4, LagSeconds: 61.5, LastError: &failure,
				Cure: &cure, LastFailure: &t, NextTry: &later, Pushes: 2, Failures: 2,
			},
		}},
		{Name: "pub", Held: &status.Hold{Reason: "gone"}, Nodes: []status.Node{
			{Node: "/mnt/", State: status.Held, Held: &status.Hold{Reason: "gone", Cure: "bring it back"}},
		}},
		{Name: "off", Nodes: []status.Node{{Node: "c:/", State: status.Held, Disabled: true}}},
	}}
}

func open(t *testing.T, address string, d Daemon) *Server {
	t.Helper()
	s, err := Serve(address, "", d, Build{"1.2", "abc"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("Serve(%q): %v", address, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
	})
	return s
}

// ask makes a request; edit, which may be nil, changes it before.
func ask(t *testing.T, method, target string, form url.Values, edit func(*http.Request)) (*http.Response, string) {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if edit != nil {
		edit(r)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return resp, string(text)
}

// The colour of the summary is that of what it counts.
func TestSummaryLine(t *testing.T) {
	f := &fake{}
	s := open(t, "127.0.0.1:0", f)
	good := status.Node{Node: "a", State: status.Success, InSync: true}
	for _, tt := range []struct {
		want  string
		nodes []status.Node
	}{
		{`class="well">1 of 1 nodes in sync<`, []status.Node{good, {Node: "b", State: status.Held, Disabled: true}}},
		{`class="ill">1 of 2 nodes in sync`, []status.Node{good, {Node: "b", State: status.Pending}}},
	} {
		f.set(status.Status{Mirrors: []status.Mirror{{Name: "www", Nodes: tt.nodes}}})
		if _, body := ask(t, "GET", s.URL(), nil, nil); !strings.Contains(body, tt.want) {
			t.Errorf("GET /: got %s, want %s", body, tt.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	f := &fake{status: sample()}
	s := open(t, "127.0.0.1:0", f)
	for _, tt := range []struct {
		method, path string
		code         int
		want         string
	}{
		{"GET", "healthz", 200, "ok\n"},
		{"GET", "readyz", 200, "ready\n"},
		{"GET", "status.json", 200, `{"version":"1.2","pid":7,"started":"2026-03-04T05:06:07.5Z","mirrors":[{"name":"www",`},
		{"GET", "metrics", 200, "inosyncd_node_in_sync{mirror=\"www\",node=\"a:/w/\"} 1\n"},
		{"GET", "", 200, "1 of 3 nodes in sync"},
		{"GET", "", 200, "bring it back"},
		{"GET", "", 200, "no route to host"},
		{"GET", "", 200, "switch it on"},
		{"GET", "", 200, `<time datetime="2026-03-04T05:07:07Z" title="2026-03-04 05:07:07 UTC">`},
		{"GET", "node?mirror=www&node=a:/w/", 200, "Nothing logged"},
		{"GET", "node?mirror=www&node=x", 404, `no node "x" of a mirror "www"`},
		{"GET", "node/log?mirror=www&node=x", 404, ""},
		{"GET", "node/log", 404, ""},
		{"GET", "page.js", 200, "EventSource"},
		{"GET", "page.css", 200, "color-scheme"},
		{"HEAD", "", 200, ""},
		{"HEAD", "events", 200, ""},
		{"GET", "page.html", 404, ""},
		{"GET", "assets/page.html", 404, ""},
		{"GET", "order", 405, ""},
		{"POST", "", 405, ""},
	} {
		resp, body := ask(t, tt.method, s.URL()+tt.path, nil, nil)
		if resp.StatusCode != tt.code || !strings.Contains(body, tt.want) {
			t.Errorf("%s /%s: got %d %s, want %d with %q", tt.method, tt.path, resp.StatusCode, body, tt.code, tt.want)
		}
		if got := resp.Header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s /%s: Content-Security-Policy: got %q, want %q", tt.method, tt.path, got, policy)
		}
	}
	f.ready = errors.New("mirror www is held")
	if resp, body := ask(t, "GET", s.URL()+"readyz", nil, nil); resp.StatusCode != 503 || body != "mirror www is held\n" {
		t.Errorf("GET /readyz: got %d %q, want 503 and why", resp.StatusCode, body)
	}
}

// The policy forbids what is written into the page itself, and nothing comes
// from elsewhere.
func TestPageNeedsNothingElse(t *testing.T) {
	s := open(t, "127.0.0.1:0", &fake{status: sample()})
	_, body := ask(t, "GET", s.URL(), nil, nil)
	if bad := regexp.MustCompile(`<style|<script>|style=| on[a-z]+=|https?://`).FindString(body); bad != "" {
		t.Errorf("GET /: got %q in the page, want the script and the style sheet in files of their own", bad)
	}
}

// A web site that gives its name the address 127.0.0.1 is not answered.
func TestHost(t *testing.T) {
	s := open(t, "localhost:0", &fake{status: sample()})
	for _, tt := range []struct {
		host string
		code int
	}{
		{"localhost", 200},
		{"LOCALHOST:80", 200},
		{"127.0.0.1:9", 200},
		{"127.1.2.3", 200},
		{"[::1]:9273", 200},
		{"evil.example:9273", 421},
		{"localhost.evil.example", 421},
		{"127.0.0.1.evil.example", 421},
		{"192.0.2.1", 421},
	} {
		for _, path := range []string{"", "status.json", "metrics", "events", "page.js"} {
			method := "HEAD" // of the stream there is no end
			resp, _ := ask(t, method, s.URL()+path, nil, func(r *http.Request) { r.Host = tt.host })
			if resp.StatusCode != tt.code {
				t.Errorf("%s /%s with Host %q: got %d, want %d", method, path, tt.host, resp.StatusCode, tt.code)
			}
		}
	}
	if resp, _ := ask(t, "GET", s.URL()+"healthz", nil, func(r *http.Request) { r.Host = "probe" }); resp.StatusCode != 200 {
		t.Errorf("GET /healthz with another Host: got %d, want 200", resp.StatusCode)
	}
}

func TestMarkupInNames(t *testing.T) {
	const evil = `<script>alert("1")</script>' onload=x&amp;` + "\x1b[2J\n\u202e\xff"
	failure := evil
	f := &fake{status: status.Status{Version: evil, Mirrors: []status.Mirror{
		{Name: evil, Nodes: []status.Node{{
			Node: evil, State: status.Held, Held: &status.Hold{Reason: evil, Cure: evil}, LastError: &failure,
		}}},
	}}}
	s := open(t, "127.0.0.1:0", f)
	_, body := ask(t, "GET", s.URL(), nil, nil)
	if strings.Contains(body, "<script>alert") || strings.ContainsAny(body, "\x1b\u202e") {
		t.Errorf("GET /: got a name as it is in %q", body)
	}
	const want = `&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;&#39; onload=x&amp;amp;\x1b[2J\n\u202e\xff`
	if n := strings.Count(body, want); n != 12 {
		t.Errorf("GET /: got %d names written as %q, want 12, in\n%s", n, want, body)
	}
	if resp, body := ask(t, "GET", s.URL()+"metrics", nil, nil); resp.StatusCode != 200 || !strings.Contains(body, "inosyncd_node_in_sync{") {
		t.Errorf("GET /metrics: got %d, want the metrics", resp.StatusCode)
	}
	name := html.UnescapeString(want)
	resp, body := ask(t, "POST", s.URL()+"order", url.Values{"token": {s.token}, "mirror": {name}, "node": {name}, "order": {"pause"}}, nil)
	if order := "pause " + evil + " " + evil; resp.StatusCode != 303 || len(f.orders) != 1 || f.orders[0] != order {
		t.Errorf("POST /order: got %d %s and %q, want %q", resp.StatusCode, body, f.orders, order)
	}
}

// maxPage is what a page of 200 nodes may have in bytes: some 2 KiB a node.
const maxPage = 400 << 10

func TestManyNodes(t *testing.T) {
	f := &fake{status: manyNodes()}
	s := open(t, "127.0.0.1:0", f)
	seed(s, time.Now())
	_, body := ask(t, "GET", s.URL(), nil, nil)
	if n := strings.Count(body, "<tr id="); n != 200 || !strings.Contains(body, "196 of 200 nodes in sync") {
		t.Errorf("GET /: got %d rows, want 200", n)
	}
	if len(body) > maxPage {
		t.Errorf("GET /: got %d bytes, want at most %d", len(body), maxPage)
	}
	_, body = ask(t, "GET", s.URL()+"metrics", nil, nil)
	if n := strings.Count(body, "\ninosyncd_node_lag_seconds{"); n != 200 {
		t.Errorf("GET /metrics: got %d nodes, want 200", n)
	}
	// What changes on the page is all that is sent.
	was, _, err := event(shown{}, s.view(question{}))
	if err != nil {
		t.Fatal(err)
	}
	changed := manyNodes()
	changed.Mirrors[0].Nodes[7].Pending = 1
	old := shown{view: s.view(question{})}
	f.set(changed)
	text, _, err := event(old, s.view(question{}))
	if n := bytes.Count(text, []byte("<tr id=")); err != nil || n != 1 || len(text) > len(was)/50 {
		t.Errorf("event: got %d rows in %d bytes, %v, want the one that has changed", n, len(text), err)
	}
}

func TestAddressTaken(t *testing.T) {
	s := open(t, "127.0.0.1:0", &fake{})
	address := s.addr.String()
	_, err := Serve(address, "", &fake{}, Build{}, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), strconv.Quote(address)) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("Serve(%q): got %v, want an error that names it", address, err)
	}
}

// Without a host nothing is served to others.
func TestNoHost(t *testing.T) {
	s := open(t, ":0", &fake{})
	if !s.local {
		t.Errorf(`Serve(":0"): got %s, want a loopback address`, s.URL())
	}
}

func TestTooManyConnections(t *testing.T) {
	s := open(t, "127.0.0.1:0", &fake{})
	var first net.Conn
	for range maxConns {
		c, err := net.Dial("tcp", s.addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		first = c
	}
	c, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(labtest.Limit))
	_, _ = io.WriteString(c, "GET /healthz HTTP/1.0\r\n\r\n") // or it is closed for being silent
	if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("connection %d: got %d bytes, %v, want it closed", maxConns+1, n, err)
	}
	_ = first.Close() // gives its place to another
	for deadline := time.Now().Add(labtest.Limit); ; {
		resp, err := http.Get(s.URL() + "healthz")
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("GET /healthz after one has left: %v", err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
