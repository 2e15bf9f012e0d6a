package rsync

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
)

func TestProgress(t *testing.T) {
	var last int
	var most int64
	n := newNode(t, "daemon", func(o *Options) {
		o.Progress = func(percent int, bytes int64) { last, most = percent, max(most, bytes) }
	})
	n.write("f="+strings.Repeat("x", 1<<20), "g")
	res := n.must(set("a "))
	if last != 100 || most < 1<<20 {
		t.Errorf("Progress: got %d %%, %d bytes, want 100 and %d", last, most, 1<<20)
	}
	if res.Bytes < 1<<20 || res.Paths != 1 || res.Took <= 0 {
		t.Errorf("Push: got %d bytes, %d paths, took %v", res.Bytes, res.Paths, res.Took)
	}
	n.equal()
}

func TestList(t *testing.T) {
	if got, want := string(list([]string{"", "#a", "b/ c\n"})), ".\x00./#a\x00./b/ c\n\x00"; got != want {
		t.Errorf("list: got %q, want %q", got, want)
	}
	got := strings.Split(strings.TrimSuffix(string(removals([]string{"a/b", "a/x*", `\`})), "\x00"), "\x00")
	want := []string{
		"+ /a/", "+ /a/b", "+ /a/b/***", `+ /a/x\*`, `+ /a/x\*/***`, `+ /\`, `+ /\\/***`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("removals: got %q, want %q", got, want)
	}
}

// rsync splits -e back into the words that were quoted.
func TestQuoting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	show := filepath.Join(dir, "show args")
	program(t, show, `for a in "$@"; do printf '%s\0' "$a"; done >'`+dir+`/args'`)
	words := []string{"plain", "", "two words", "it's", `"quoted"`, `'"`, `back\slash`, "$(id)", "tab\there", "''", " ", "%h", "a=b"}
	n := newNode(t, "local", func(o *Options) {
		o.Address = node.Address{Kind: node.SSH, Host: "host", Path: "/x/"}
		o.SSH = SSHOptions{Command: show, Options: words, User: "me", Port: 22}
	})
	n.Push(t.Context(), set("i "))
	data, err := os.ReadFile(dir + "/args")
	n.do(err)
	got := strings.Split(string(data), "\x00")
	for i, w := range words {
		if 2*i+1 >= len(got) || got[2*i] != "-o" || got[2*i+1] != w {
			t.Fatalf("arguments: got %q, want -o before each of %q", got, words)
		}
	}
	rest := strings.Join(got[2*len(words):], " ")
	for _, part := range []string{"-o BatchMode=yes", "-o StrictHostKeyChecking=yes", "-p 22", "-l me", " host rsync --server"} {
		if !strings.Contains(rest, part) {
			t.Errorf("arguments: got %q, want %q in it", rest, part)
		}
	}
}

// What rsync is started with, and what it gets of the environment.
func TestEnvironment(t *testing.T) {
	t.Setenv("RSYNC_RSH", "/bin/false")
	t.Setenv("RSYNC_PASSWORD", "daemon's own")
	t.Setenv("SSH_AUTH_SOCK", "/agent")
	t.Setenv("HOME", "/home")
	for kind, want := range map[node.Kind]string{
		node.Local:  "PATH LC_ALL",
		node.SSH:    "PATH LC_ALL SSH_AUTH_SOCK",
		node.Daemon: "PATH LC_ALL RSYNC_PASSWORD=",
	} {
		n := newNode(t, "local", func(o *Options) { o.Address = node.Address{Kind: kind, Host: "h", Path: "/x/"} })
		s, err := n.prepare(mode{})
		n.do(err)
		var got []string
		for _, v := range s.Env {
			name, value, _ := strings.Cut(v, "=")
			if name == "RSYNC_PASSWORD" {
				name += "=" + value
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("environment of kind %d: got %q, want %q", kind, got, want)
		}
		if !s.Attr.Setsid {
			t.Errorf("kind %d: rsync has no session of its own", kind)
		}
	}
}

func TestOptions(t *testing.T) {
	none := options(&Options{}, nil)
	for _, flag := range []string{"--perms", "--owner", "--group", "-D", "--times", "--compress", "--hard-links"} {
		if slices.Contains(none, flag) {
			t.Errorf("options of nothing: got %q among %q", flag, none)
		}
	}
	got := options(&Options{
		Archive: true, Times: true, Perms: true, Owner: true, Group: true, Xattrs: true, ACLs: true, HardLinks: true,
		Sparse: true, Compress: true, DelayUpdates: true, Partial: true,
		Timeout: 1500 * time.Millisecond, Bandwidth: 1, Args: []string{"--fuzzy"},
		Address: node.Address{Kind: node.Daemon},
	}, nil)
	for _, flag := range []string{
		"-D", "--times", "--perms", "--owner", "--group", "--xattrs", "--acls", "--hard-links", "--sparse", "--compress",
		"--delay-updates", "--partial-dir=.inosyncd-partial", "--bwlimit=1", "--fuzzy", "--modify-window=-1",
		"--sockopts=TCP_NODELAY", "--contimeout=10",
	} {
		if !slices.Contains(got, flag) {
			t.Errorf("options: got %q, want %q among them", got, flag)
		}
	}
}

func TestTimeout(t *testing.T) {
	for kind, want := range map[node.Kind]string{node.Local: "--timeout=2 32s", node.SSH: "--timeout=2 32s", node.Daemon: " 2s"} {
		n := newNode(t, "local", func(o *Options) {
			o.Address = node.Address{Kind: kind, Host: "h", Path: "/x/"}
			o.Timeout = 2 * time.Second
		})
		has := func(m mode) string {
			i := slices.Index(n.arguments(m), "--timeout=2")
			return map[bool]string{true: "--timeout=2"}[i >= 0] + " " + n.idle(m).String()
		}
		if got := has(mode{delete: true}); got != want {
			t.Errorf("arguments of a list, kind %d: got %q, want %q", kind, got, want)
		}
		if got, want := has(mode{whole: true}), "--timeout=2 32s"; got != want {
			t.Errorf("arguments of a whole tree, kind %d: got %q, want %q", kind, got, want)
		}
	}
}

func TestPassword(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", "pass word\nmore\n", 0o600)
	if err := os.Symlink(good, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if got, err := readPassword(good); got != "pass word" || err != nil {
		t.Errorf("readPassword: got %q, %v", got, err)
	}
	for name, path := range map[string]string{
		"group can read": file("group", "p", 0o640),
		"others can":     file("others", "p", 0o604),
		"executable":     file("exec", "p", 0o700),
		"empty":          file("empty", "\np", 0o600),
		"too long":       file("long", strings.Repeat("p", maxPassword+1), 0o600),
		"link":           dir + "/link",
		"directory":      dir,
		"missing":        dir + "/missing",
	} {
		if got, err := readPassword(path); err == nil {
			t.Errorf("readPassword of a file that is wrong (%s): got %q, want an error", name, got)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(good, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if got, err := readPassword(good); err == nil {
			t.Errorf("readPassword of a stranger's file: got %q, want an error", got)
		}
	}
}
