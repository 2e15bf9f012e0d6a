package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	aToken  = "0123456789abcdef"
	another = "fedcba9876543210"
)

func TestTokenFile(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, config, credentials, want string }{
		{"beside the configuration", "/etc/inosync.yaml", "", "/etc/inosync.token"},
		{"of one of several", "/etc/inosync/www.yml", "", "/etc/inosync/www.token"},
		{"without an extension", "/etc/inosync", "", "/etc/inosync.token"},
		{"no such credential", "/etc/inosync.yaml", dir + "/none", "/etc/inosync.token"},
		{"a credential", "/etc/inosync.yaml", dir, dir + "/inosync.token"},
		{"no directory of credentials", "/etc/inosync.yaml", ".", "/etc/inosync.token"},
	} {
		if tt.credentials == dir {
			if err := os.WriteFile(filepath.Join(dir, "inosync.token"), nil, 0o400); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("CREDENTIALS_DIRECTORY", tt.credentials)
		if got := tokenFile(tt.config); got != tt.want {
			t.Errorf("%s: tokenFile(%q): got %q, want %q", tt.name, tt.config, got, tt.want)
		}
	}
}

func TestReadToken(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want, err  string
	}{
		{"good", aToken + "\n", 0o600, aToken, ""},
		{"a note below it", aToken + "\nmade in May\n", 0o400, aToken, ""},
		{"too short", aToken[1:] + "\n", 0o600, "", "16 to 512 bytes"},
		{"blanks", "correct horse battery\n", 0o600, "", "without blanks"},
		{"letters of others", "gültig-und-lang-genug\n", 0o600, "", "ASCII"},
		{"others can read it", aToken, 0o644, "", "has mode 0644, must have 0600"},
		{"none", "", 0, "", ""},
	} {
		file := filepath.Join(t.TempDir(), "inosync.token")
		if tt.mode != 0 {
			if err := errors.Join(os.WriteFile(file, []byte(tt.text), 0o600), os.Chmod(file, tt.mode)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := readToken(file)
		if got != tt.want || (err == nil) != (tt.err == "") {
			t.Errorf("%s: readToken(): got %q, %v, want %q, %q", tt.name, got, err, tt.want, tt.err)
		}
		if err == nil {
			continue
		}
		line, _, _ := strings.Cut(tt.text, "\n")
		if text := err.Error(); !strings.Contains(text, tt.err) || !strings.Contains(text, file) || strings.Contains(text, line) {
			t.Errorf("%s: readToken(): got %s, want the file, %q, and nothing of what is in it", tt.name, text, tt.err)
		}
	}
}

// A reload reads the token anew. Nothing that is wrong with its file, and not
// its end, opens the page.
func TestRenewToken(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	var log bytes.Buffer
	s := &supervisor{app: &app{configFile: t.TempDir() + "/inosync.yaml"}, log: slog.New(slog.NewTextHandler(&log, nil))}
	file := tokenFile(s.app.configFile)
	if err := s.openWeb("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer func() { s.closeWeb() }()
	enters := func(token string) bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.web.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" { // an empty one would be a guess, of which there are not many
			r.SetBasicAuth("admin", token)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		enters     string
		log        string
	}{
		{"a token", aToken, 0o600, aToken, "asks for a new token"},
		{"another", another, 0o600, another, "asks for a new token"},
		{"the same", another, 0o400, another, ""},
		{"for all to read", aToken, 0o644, another, "has mode 0644"},
		{"too short", "short", 0o600, another, "16 to 512 bytes"},
		{"none", "", 0, another, "its file is gone"},
		{"the first again", aToken, 0o600, aToken, "asks for a new token"},
	} {
		log.Reset()
		_ = os.Remove(file)
		if tt.mode != 0 {
			if err := errors.Join(os.WriteFile(file, []byte(tt.text), 0o600), os.Chmod(file, tt.mode)); err != nil {
				t.Fatal(err)
			}
		}
		s.moveWeb(s.webAt)
		got := log.String()
		for _, token := range []string{"", aToken, another} {
			if got, want := enters(token), token == tt.enters; got != want {
				t.Errorf("%s: who has %q: got let in %v, want %v", tt.name, token, got, want)
			}
		}
		if !strings.Contains(got, tt.log) || tt.log == "" && got != "" || strings.Contains(got, aToken) || strings.Contains(got, another) {
			t.Errorf("%s: logged %q, want %q and no token", tt.name, got, tt.log)
		}
	}
	// A page that goes and comes again asks for what is in the file then.
	if err := os.WriteFile(file, []byte(another), 0o600); err != nil {
		t.Fatal(err)
	}
	s.moveWeb("")
	s.moveWeb("127.0.0.1:0")
	if !enters(another) || enters(aToken) {
		t.Error("after the page was closed and opened: got the old token asked for, want the new one")
	}
	// One with a token that cannot be had is not opened.
	s.moveWeb("")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if s.moveWeb("127.0.0.1:0"); s.web != nil {
		t.Error("with a token for all to read: got a page, want none")
	}
}
