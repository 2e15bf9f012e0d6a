package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const testToken = "correct-horse-battery"

// openWith is a page that asks for a token.
func openWith(t *testing.T, address, token string, d Daemon) *Server {
	t.Helper()
	s, err := Serve(address, token, d, Build{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("Serve(%q): %v", address, err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func authorization(value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// Who has the token may do all, on every address; who has not gets nothing but
// that the process is there.
func TestLogin(t *testing.T) {
	logins := []struct {
		name, header string
		right        bool
	}{
		{"nothing", "", false},
		{"Basic", basic("admin", testToken), true},
		{"Basic, no user", basic("", testToken), true},
		{"Basic, as the user", basic(testToken, ""), false},
		{"Basic, not encoded", "Basic " + testToken, false},
		{"Basic, wrong", basic("admin", "wrong"), false},
		{"Bearer", "Bearer " + testToken, true},
		{"Bearer, small", "bearer " + testToken, true},
		{"Bearer, empty", "Bearer ", false},
		{"Bearer, more", "Bearer " + testToken + "x", false},
		{"Bearer, less", "Bearer " + testToken[1:], false},
		{"alone", testToken, false},
		{"of another scheme", "Digest " + testToken, false},
	}
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0", "0.0.0.0:0"} {
		for _, asked := range []bool{true, false} {
			f := &fake{status: sample()}
			token := ""
			if asked {
				token = testToken
			}
			s := openWith(t, address, token, f)
			if want := address == "0.0.0.0:0" && !asked; s.Open() != want {
				t.Errorf("%s: Open(): got %v, want %v", address, s.Open(), want)
			}
			for _, l := range logins {
				s.guesses.from = nil // not what is tested here
				for _, path := range []string{"", "node?mirror=www&node=a:/w/", "node/log?mirror=www&node=a:/w/", "events", "status.json", "metrics", "readyz", "page.js", "page.css", "none", "healthz"} {
					want := 200
					switch {
					case path == "healthz":
					case asked && !l.right:
						want = 401
					case path == "none":
						want = 404
					}
					resp, _ := ask(t, http.MethodHead, s.URL()+path, nil, authorization(l.header)) // of the stream there is no end
					if resp.StatusCode != want {
						t.Errorf("%s, token asked for %v, %s: /%s: got %d, want %d", address, asked, l.name, path, resp.StatusCode, want)
					}
				}
				_, body := ask(t, http.MethodGet, s.URL(), nil, authorization(l.header))
				want := asked && l.right || !asked && s.local
				if got := strings.Contains(body, s.token); got != want {
					t.Errorf("%s, token asked for %v, %s: got buttons %v, want %v", address, asked, l.name, got, want)
				}
				f.orders = nil
				form := url.Values{"token": {s.token}, "mirror": {"www"}, "node": {"a:/w/"}, "order": {"pause"}}
				ask(t, http.MethodPost, s.URL()+"order", form, authorization(l.header))
				if got := len(f.orders) == 1; got != want {
					t.Errorf("%s, token asked for %v, %s: got the order carried out %v, want %v", address, asked, l.name, got, want)
				}
			}
		}
	}
}

// The token lets in, and does not make an order the page's own.
func TestLoginIsNoOrder(t *testing.T) {
	f := &fake{status: sample()}
	s := openWith(t, "0.0.0.0:0", testToken, f)
	form := url.Values{"token": {s.token}, "mirror": {"www"}, "node": {"a:/w/"}, "order": {"pause"}}
	forged := url.Values{"token": {testToken}, "mirror": {"www"}, "node": {"a:/w/"}, "order": {"pause"}}
	for _, tt := range []struct {
		name, origin string
		form         url.Values
	}{{"from elsewhere", "http://evil.example", form}, {"without the page", "", forged}} {
		resp, body := ask(t, http.MethodPost, s.URL()+"order", tt.form, func(r *http.Request) {
			r.SetBasicAuth("", testToken)
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
		})
		if resp.StatusCode != 403 || len(f.orders) > 0 {
			t.Errorf("POST /order %s: got %d %s and the orders %q, want 403 and none", tt.name, resp.StatusCode, body, f.orders)
		}
	}
}

// Who is refused learns what is wanted, in words and as browsers ask for it.
func TestLoginSaysWhatIsWanted(t *testing.T) {
	s := openWith(t, "127.0.0.1:0", testToken, &fake{status: sample()})
	resp, body := ask(t, http.MethodGet, s.URL(), nil, nil)
	if got := strings.Join(resp.Header.Values("WWW-Authenticate"), "; "); resp.StatusCode != 401 ||
		!strings.HasPrefix(got, `Basic realm="inosyncd"`) || !strings.Contains(got, "Bearer") || !strings.Contains(body, "as the password") {
		t.Errorf("GET /: got %d %q %s, want 401 and what is wanted", resp.StatusCode, got, body)
	}
	resp, _ = ask(t, http.MethodGet, s.URL(), nil, func(r *http.Request) { r.Host = "evil.example"; r.SetBasicAuth("", testToken) })
	if resp.StatusCode != 421 {
		t.Errorf("GET / under another name: got %d, want 421 with the token as well", resp.StatusCode)
	}
}

// A new token holds at once, also for a page that is open.
func TestSetToken(t *testing.T) {
	s := openWith(t, "127.0.0.1:0", "", &fake{status: sample()})
	messages := stream(t.Context(), t, s.URL())
	next(t, messages)
	s.SetToken(testToken)
	select {
	case _, ok := <-messages:
		if ok {
			t.Error("GET /events after SetToken(): got a message, want the end")
		}
	case <-time.After(time.Minute):
		t.Fatal("GET /events after SetToken(): it goes on, want the end")
	}
	for token, want := range map[string]int{"": 401, "another": 401, testToken: 200} {
		if resp, _ := ask(t, http.MethodGet, s.URL(), nil, authorization("Bearer "+token)); resp.StatusCode != want {
			t.Errorf("GET / with the token %q: got %d, want %d", token, resp.StatusCode, want)
		}
	}
}

// An address has so many wrong tokens in a time; then the right one has to wait
// too, and another address has not.
func TestGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g guesses
		const from, other = "192.0.2.1:7", "192.0.2.2:7"
		wrong := func() bool { return false }
		right := func() bool { return true }
		for i := range guessBurst {
			if err := g.judge(fmt.Sprintf("192.0.2.1:%d", i), wrong); !errors.Is(err, errWrongToken) {
				t.Errorf("guess %d: got %v, want %v", i, err, errWrongToken)
			}
		}
		if err := g.judge(from, right); !errors.Is(err, errGuesses) {
			t.Errorf("the right one after %d wrong ones: got %v, want %v", guessBurst, err, errGuesses)
		}
		if err := g.judge(other, right); err != nil {
			t.Errorf("from another address: %v", err)
		}
		time.Sleep(guessEvery)
		for range 3 { // who is right spends nothing
			if err := g.judge(from, right); err != nil {
				t.Errorf("after a while: %v", err)
			}
		}
		if err := g.judge(from, wrong); !errors.Is(err, errWrongToken) {
			t.Errorf("after a while, wrong: got %v, want %v", err, errWrongToken)
		}
		if err := g.judge(from, wrong); !errors.Is(err, errGuesses) {
			t.Errorf("after a while, wrong again: got %v, want %v", err, errGuesses)
		}
		for i := range 3 * maxGuesses {
			_ = g.judge(fmt.Sprintf("10.0.%d.%d:7", i/250, i%250), wrong)
		}
		if len(g.from) > maxGuesses {
			t.Errorf("got %d addresses remembered, want at most %d", len(g.from), maxGuesses)
		}
	})
}

func TestNetwork(t *testing.T) {
	for _, tt := range []struct{ addr, want string }{
		{"192.0.2.1:80", "192.0.2.1/32"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1/32"},
		{"[2001:db8::1:2:3:4]:80", "2001:db8::/64"},
		{"[fe80::1%eth0]:80", "fe80::/64"},
		{"@", "invalid Prefix"},
	} {
		if got := network(tt.addr).String(); got != tt.want {
			t.Errorf("network(%q): got %s, want %s", tt.addr, got, tt.want)
		}
	}
}
