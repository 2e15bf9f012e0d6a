package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/control"
	"inosyncd/internal/nodelog"
	"inosyncd/internal/status"
)

func TestNodePage(t *testing.T) {
	now := time.Now()
	at := time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)
	f := &fake{status: colourful(now), lines: []nodelog.Line{
		{Time: at, Level: slog.LevelInfo, Text: "pushed paths=1"},
		{Time: at.Add(time.Second), Level: slog.LevelError, Text: `push failed err="<b>\x1b"`},
	}}
	s := open(t, "127.0.0.1:0", f)
	seed(s, now)
	names := url.Values{"mirror": {"www"}, "node": {"deploy@b.mirror.com:/srv/www/"}}.Encode()
	resp, body := ask(t, http.MethodGet, s.URL()+"node?"+names, nil, nil)
	for _, want := range []string{
		"<h1>deploy@b.mirror.com:/srv/www/", "/var/www/", "12 entries differ, 1 of them pending",
		"<code>img/logo.svg</code> content", "and 10 more", "resync makes them equal", `value="verify"`, `<path d="M0 16`,
		`push failed err=&#34;&lt;b&gt;\x1b&#34;`, `href="/node/log?mirror=www&amp;node=deploy%40b.mirror.com%3a%2fsrv%2fwww%2f"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("GET /node: got %d without %q in\n%s", resp.StatusCode, want, body)
		}
	}
	if n := strings.Count(body, "<tr id="); n != 1 {
		t.Errorf("GET /node: got %d rows, want 1", n)
	}
	if strings.Index(body, "push failed") > strings.Index(body, "pushed paths") {
		t.Error("GET /node: got the oldest line of the log first, want the newest")
	}

	resp, body = ask(t, http.MethodGet, s.URL()+"node/log?"+names, nil, nil)
	const want = "2026-03-04T05:06:07.008Z INFO  pushed paths=1\n2026-03-04T05:06:08.008Z ERROR push failed err=\"<b>\\x1b\"\n"
	if body != want {
		t.Errorf("GET /node/log: got\n%swant\n%s", body, want)
	}
	if got := resp.Header.Get("Content-Disposition"); got != `attachment; filename="inosyncd-www-deploy_b_mirror_com__srv_www.log"` {
		t.Errorf("GET /node/log: got Content-Disposition %s", got)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("GET /node/log: got Content-Type %s, want plain text", got)
	}
}

// The page of a node is kept up to date, with its log.
func TestNodeEvents(t *testing.T) {
	t.Parallel()
	f := &fake{status: sample()}
	s := open(t, "127.0.0.1:0", f)
	messages := streamOf(t.Context(), t, s.URL()+"events?mirror=www&node=b:/w/")
	m := next(t, messages)
	if !m.All || len(m.Rows) != 1 || !strings.Contains(m.Rows[0], "b:/w/") || !strings.Contains(m.Detail, "Nothing logged") {
		t.Errorf("first: got %+v, want the row and the rest of b", m)
	}
	changed := sample()
	changed.Mirrors[0].Nodes[1].Verification = &status.Verification{Running: true, Started: time.Now(), Differences: 2}
	f.set(changed)
	m = next(t, messages)
	if m.All || len(m.Rows) != 1 || !strings.Contains(m.Rows[0], "running") || !strings.Contains(m.Detail, "so far 2 entries differ") {
		t.Errorf("while it is verified: got %+v, want that", m)
	}
	f.set(status.Status{})
	if m = next(t, messages); !m.All || len(m.Rows) != 0 {
		t.Errorf("after a reload without it: got %+v, want no row", m)
	}
}

func TestFileName(t *testing.T) {
	for _, tt := range []struct{ mirror, node, want string }{
		{"www", "/mnt/b/", "inosyncd-www-_mnt_b.log"},
		{"../..", "\"\n;\x00", "inosyncd--.log"},
		{"m", strings.Repeat("x", 300), "inosyncd-m-" + strings.Repeat("x", 98) + ".log"},
	} {
		if got := fileName(control.Node{Mirror: tt.mirror, Node: tt.node}); got != tt.want {
			t.Errorf("fileName(%q, %q): got %q, want %q", tt.mirror, tt.node, got, tt.want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago",
		time.Hour: "1 h ago", 47 * time.Hour: "47 h ago", 72 * time.Hour: "3 days ago", -12 * time.Second: "in 12 s", -3 * time.Minute: "in 3 min",
	} {
		if got := ago(now.Add(-d), now); got != want {
			t.Errorf("ago(%v): got %q, want %q", d, got, want)
		}
	}
}
