package web

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"inosyncd/internal/control"
)

func TestOrder(t *testing.T) {
	f := &fake{status: sample()}
	s := open(t, "127.0.0.1:0", f)
	_, body := ask(t, "GET", s.URL(), nil, nil)
	if !strings.Contains(body, `name="token" value="`+s.token+`"`) || !strings.Contains(body, `value="resync"`) {
		t.Fatalf("GET /: got no buttons in\n%s", body)
	}
	form := func(edit func(url.Values)) url.Values {
		v := url.Values{"token": {s.token}, "mirror": {"www"}, "node": {"a:/w/"}, "order": {"resync"}}
		if edit != nil {
			edit(v)
		}
		return v
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, tt := range []struct {
		name    string
		form    url.Values
		request func(*http.Request)
		err     error // of the daemon
		code    int
		ordered bool
	}{
		{"by hand", form(nil), nil, nil, 303, true},
		{"from the page", form(nil), header("Origin", strings.TrimSuffix(s.URL(), "/")), nil, 303, true},
		{"from the page, new browser", form(nil), header("Sec-Fetch-Site", "same-origin"), nil, 303, true},
		{"from elsewhere", form(nil), header("Origin", "http://evil.example"), nil, 403, false},
		{"from elsewhere, new browser", form(nil), header("Sec-Fetch-Site", "cross-site"), nil, 403, false},
		{"from another port", form(nil), header("Origin", "http://127.0.0.1:1"), nil, 403, false},
		{"from no origin", form(nil), header("Origin", "null"), nil, 403, false},
		{"another host", form(nil), func(r *http.Request) { r.Host = "evil.example" }, nil, 421, false},
		{"no token", form(func(v url.Values) { v.Del("token") }), nil, nil, 403, false},
		{"wrong token", form(func(v url.Values) { v.Set("token", s.token+"x") }), nil, nil, 403, false},
		{"token in the query", form(func(v url.Values) { v.Del("token") }), func(r *http.Request) { r.URL.RawQuery = "token=" + s.token }, nil, 403, false},
		{"from the page of a node", form(nil), header("Referer", s.URL()+"node?mirror=www&node=a:/w/"), nil, 303, true},
		{"verify", form(func(v url.Values) { v.Set("order", "verify") }), nil, nil, 303, false},
		{"approve what is not held", form(func(v url.Values) { v.Set("order", "approve"); v.Set("seen", "3 entries") }), nil, nil, 409, false},
		{"no such order", form(func(v url.Values) { v.Set("order", "reboot") }), nil, nil, 400, false},
		{"too long", form(func(v url.Values) { v.Set("node", strings.Repeat("a", maxForm)) }), nil, nil, 403, false},
		{"no such node", form(nil), nil, &control.UsageError{Msg: "no such node"}, 404, true},
		{"cannot be done", form(nil), nil, errors.New("nothing is held"), 409, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.orders, f.err = nil, tt.err
			resp, body := ask(t, "POST", s.URL()+"order", tt.form, tt.request)
			if resp.StatusCode != tt.code {
				t.Errorf("POST /order: got %d %s, want %d", resp.StatusCode, body, tt.code)
			}
			if ordered := len(f.orders) == 1 && f.orders[0] == "resync www a:/w/"; ordered != tt.ordered {
				t.Errorf("POST /order: got the orders %q, want one: %v", f.orders, tt.ordered)
			}
			if want := back(resp.Request); resp.StatusCode == 303 && resp.Header.Get("Location") != want {
				t.Errorf("POST /order: got sent to %q, want %q", resp.Header.Get("Location"), want)
			}
			if tt.err != nil && !strings.Contains(body, tt.err.Error()) {
				t.Errorf("POST /order: got %q, want %q", body, tt.err)
			}
		})
	}
}

// An approval is for what the page has shown, not for what has become of it.
func TestApproveWhatWasSeen(t *testing.T) {
	f := &fake{status: sample()}
	s := open(t, "127.0.0.1:0", f)
	approve := func(seen string) int {
		resp, _ := ask(t, "POST", s.URL()+"order", url.Values{
			"token": {s.token}, "mirror": {"pub"}, "node": {"/mnt/"}, "order": {"approve"}, "seen": {seen},
		}, nil)
		return resp.StatusCode
	}
	_, body := ask(t, "GET", s.URL(), nil, nil)
	if !strings.Contains(body, `name="seen" value="gone"`) {
		t.Errorf("GET /: got no reason in a form of\n%s", body)
	}
	if code := approve("30 entries would be removed"); code != 409 || len(f.orders) != 0 {
		t.Errorf("approving what is no longer so: got %d and the orders %q, want 409 and none", code, f.orders)
	}
	if code := approve("gone"); code != 303 || len(f.orders) != 1 {
		t.Errorf("approving what is so: got %d and the orders %q, want 303 and one", code, f.orders)
	}
}

// After an order its page is shown again, and nothing that is not ours.
func TestBack(t *testing.T) {
	for _, tt := range []struct{ name, referer, want string }{
		{"unknown", "", "/"},
		{"the page", "http://h:1/", "/"},
		{"the page, sorted", "http://h:1/?sort=lag&dir=down", "/?sort=lag&dir=down"},
		{"the page of a node", "http://h:1/node?mirror=www&node=a%3A%2Fw%2F", "/node?mirror=www&node=a%3A%2Fw%2F"},
		{"another site", "http://evil.example/node?x", "/"},
		{"another port", "http://h:2/node?x", "/"},
		{"another path", "http://h:1//evil.example", "/"},
		{"no address", "%zz", "/"},
	} {
		r := &http.Request{Host: "h:1", Header: http.Header{"Referer": {tt.referer}}}
		if got := back(r); got != tt.want {
			t.Errorf("%s: back(%q): got %q, want %q", tt.name, tt.referer, got, tt.want)
		}
	}
}

// Other machines can read, and give no orders.
func TestNotLocal(t *testing.T) {
	f := &fake{status: sample()}
	s := open(t, "0.0.0.0:0", f)
	if s.local || !strings.HasPrefix(s.URL(), "http://0.0.0.0:") {
		t.Fatalf("Serve(0.0.0.0): got %s, local %v, want every address of IPv4", s.URL(), s.local)
	}
	resp, body := ask(t, "GET", s.URL(), nil, func(r *http.Request) { r.Host = "mirror.example" })
	if resp.StatusCode != 200 || strings.Contains(body, s.token) || strings.Contains(body, "<form") || !strings.Contains(body, "read-only") {
		t.Errorf("GET /: got %d %s, want the page without buttons", resp.StatusCode, body)
	}
	resp, _ = ask(t, "POST", s.URL()+"order", url.Values{"token": {s.token}, "mirror": {"www"}, "node": {"a:/w/"}, "order": {"pause"}}, nil)
	if resp.StatusCode != 403 || len(f.orders) > 0 {
		t.Errorf("POST /order: got %d and the orders %q, want 403 and none", resp.StatusCode, f.orders)
	}
}

// Another user of the machine sees no buttons: not on the page, and not in
// what keeps it up to date.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to ask as another user")
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("needs curl: apt-get install curl")
	}
	const nobody = 65534
	s := open(t, "127.0.0.1:0", &fake{status: sample()})
	get := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), curl, append([]string{"-q", "-sS", "--noproxy", "*"}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = "/"
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("curl %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	body := get(s.URL())
	if strings.Contains(body, s.token) || !strings.Contains(body, "a connection of user "+strconv.Itoa(nobody)) {
		t.Errorf("GET / as another user: got %s, want the page without buttons and why", body)
	}
	body = get("-d", "order=pause&mirror=www&node=a:/w/&token="+s.token, s.URL()+"order")
	if !strings.Contains(body, "read-only") {
		t.Errorf("POST /order as another user: got %s, want it refused", body)
	}
}
