package e2e_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

// fetch asks the web page.
func fetch(t *testing.T, target string, form url.Values) (code int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var resp *http.Response
	var err error
	if form == nil {
		resp, err = client.Get(target)
	} else {
		resp, err = client.PostForm(target, form)
	}
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(text)
}

// The page of a running daemon has the node that fails first, with what to do,
// takes orders, and shows and gives away the log of a node.
func TestWebPage(t *testing.T) {
	s := newSite(t)
	write(t, s.path("a"), "a")
	good := s.local("copy")
	refused := labtest.Refused(t)
	bad := node{name: fmt.Sprintf("rsync://127.0.0.1:%d/none/", refused.Port())}
	bad.yaml = fmt.Sprintf("%q", bad.name)
	s.start(s.config("listen: 127.0.0.1:0", good, bad))
	page := s.wait(1, "web page served").Attrs["url"].(string)
	s.wait(1, "pushed", "node", good.name)
	s.wait(1, "push failed", "node", bad.name)

	_, body := fetch(t, page, nil)
	rows := strings.Split(body, "<tr id=")
	if len(rows) != 3 || !strings.Contains(rows[1], bad.name) || !strings.Contains(rows[2], good.name) {
		t.Fatalf("GET /: got\n%s\nwant the row of %s and then that of %s", body, bad.name, good.name)
	}
	for _, want := range []string{"Connection refused", "Cure:", "rsync daemon or sshd runs", `value="resume"`} {
		if !strings.Contains(rows[1], want) {
			t.Errorf("GET /: got the row %s without %q", rows[1], want)
		}
	}
	if !strings.Contains(rows[2], "in sync") || !strings.Contains(rows[2], "SUCCESS") {
		t.Errorf("GET /: got the row %s, want that it is in sync", rows[2])
	}

	token := regexp.MustCompile(`name="token" value="(\w+)"`).FindStringSubmatch(body)
	if token == nil {
		t.Fatalf("GET /: got no buttons in\n%s", body)
	}
	names := url.Values{"mirror": {"site"}, "node": {good.name}}
	form := url.Values{"token": {token[1]}, "order": {"verify"}, "mirror": {"site"}, "node": {good.name}}
	if code, body := fetch(t, page+"order", form); code != http.StatusOK {
		t.Fatalf("POST /order: got %d %s, want the page again", code, body)
	}
	labtest.Eventually(t, func() error {
		if _, body := fetch(t, page+"node?"+names.Encode(), nil); !strings.Contains(body, "no difference at ") {
			return fmt.Errorf("the page of the node does not tell of its verification:\n%s", body)
		}
		return nil
	})
	code, text := fetch(t, page+"node/log?"+names.Encode(), nil)
	for _, want := range []string{"INFO  mirror watched", "INFO  pushed", "INFO  verified", "INFO  order on the web page order=verify"} {
		if !strings.Contains(text, want) {
			t.Errorf("GET /node/log: got %d without %q in\n%s", code, want, text)
		}
	}
	if strings.Contains(text, bad.name) || strings.Contains(text, "push failed") {
		t.Errorf("GET /node/log: got lines of the other node in\n%s", text)
	}
}

// Removals that are held can be approved on the page, which offers that only
// then.
func TestWebApproves(t *testing.T) {
	s := newSite(t)
	must(t, os.Mkdir(s.path("d"), 0o755))
	for _, name := range []string{"d/a", "d/b", "d/c"} {
		write(t, s.path(name), name)
	}
	n := s.local("copy")
	n.yaml = fmt.Sprintf("{target: %s, max_delete: 1}", n.yaml)
	s.startSynced(s.config("listen: 127.0.0.1:0", n), n)
	page := s.wait(1, "web page served").Attrs["url"].(string)
	if _, body := fetch(t, page, nil); strings.Contains(body, `value="approve"`) {
		t.Error("GET /: got a button to approve although nothing is held")
	}
	must(t, os.Rename(s.path("d"), filepath.Join(s.dir, "d"))) // all at once
	var form url.Values
	labtest.Eventually(t, func() error {
		_, body := fetch(t, page, nil)
		if !strings.Contains(body, "entries would be removed") || !strings.Contains(body, `value="approve"`) {
			return fmt.Errorf("the page does not offer to approve the removals:\n%s", body)
		}
		form = url.Values{"order": {"approve"}}
		for _, field := range regexp.MustCompile(`name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
			if field[1] != "order" {
				form.Set(field[1], html.UnescapeString(field[2]))
			}
		}
		return nil
	})
	if code, body := fetch(t, page+"order", form); code != http.StatusOK {
		t.Fatalf("POST /order of %v: got %d %s, want the page again", form, code, body)
	}
	s.same(n)
}

// From other machines the page is read-only until there is a token. Then who has
// it may read and order, and nobody else; it is in nothing that the daemon says.
func TestWebToken(t *testing.T) {
	s := newSite(t)
	write(t, s.path("a"), "a")
	n := s.local("copy")
	config := s.config("listen: 0.0.0.0:0", n)
	s.startSynced(config, n)
	page := s.wait(1, "web page served").Attrs["url"].(string)
	file := filepath.Join(s.dir, "inosync.token")
	if got := s.Log(); !strings.Contains(got, "web page open to read") || !strings.Contains(got, file) {
		t.Errorf("the log: got\n%s\nwant a warning that names %s", got, file)
	}
	if code, body := fetch(t, page, nil); code != http.StatusOK || strings.Contains(body, "<form") {
		t.Errorf("GET / without a token: got %d\n%s\nwant the page without buttons", code, body)
	}

	const token = "four random words joined"
	must(t, os.WriteFile(file, []byte(token), 0o644))
	s.reload(config)
	s.wait(1, "keeping the login of the web page as it was")
	good := strings.ReplaceAll(token, " ", "-")
	must(t, os.WriteFile(file, []byte(good+"\n"), 0o600), os.Chmod(file, 0o600))
	s.reload(config)
	s.wait(1, "web page asks for a new token", "path", file)

	for _, path := range []string{"", "node", "events", "status.json", "metrics", "readyz", "page.js"} {
		for _, login := range []string{"", "x:wrong@"} {
			target := strings.Replace(page, "//", "//"+login, 1) + path
			if code, _ := fetch(t, target, nil); code != http.StatusUnauthorized && code != http.StatusTooManyRequests {
				t.Errorf("GET %s: got %d, want 401", target, code)
			}
		}
	}
	if code, _ := fetch(t, page+"healthz", nil); code != http.StatusOK {
		t.Errorf("GET /healthz without the token: got %d, want 200", code)
	}
	mine := strings.Replace(page, "//", "//prometheus:"+good+"@", 1)
	for path, want := range map[string]string{"metrics": "inosyncd_node_in_sync", "status.json": n.name} {
		if code, body := fetch(t, mine+path, nil); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET /%s with the token: got %d\n%s\nwant %q", path, code, body, want)
		}
	}
	_, body := fetch(t, mine, nil)
	secret := regexp.MustCompile(`name="token" value="(\w+)"`).FindStringSubmatch(body)
	if secret == nil {
		t.Fatalf("GET / with the token: got no buttons in\n%s", body)
	}
	form := url.Values{"token": {secret[1]}, "order": {"pause"}, "mirror": {"site"}, "node": {n.name}}
	if code, body := fetch(t, mine+"order", form); code != http.StatusOK {
		t.Fatalf("POST /order: got %d %s, want the page again", code, body)
	}
	if now := s.node(n); now.State != status.Held {
		t.Errorf("after the order to pause: got %s, want %s", now.State, status.Held)
	}
	for _, word := range []string{token, good} {
		if strings.Contains(s.Log()+s.Output()+s.command("status", "--json")+body, word) {
			t.Errorf("the token %q is in the log, the status or the page", word)
		}
	}
}
