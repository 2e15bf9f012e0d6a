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

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
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
	refused, err := lab.KeepRefused()
	must(t, err)
	defer refused.Close()
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
	for _, want := range []string{"Connection refused", "To do:", "rsync daemon or sshd runs", `value="resume"`} {
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
