package rsync

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

func TestSSHFailures(t *testing.T) {
	t.Parallel()
	p := newSite(t, "ssh")
	for name, tt := range map[string]struct {
		change func(*node.Options)
		want   push.Outcome
		cure   string
	}{
		"key refused":      {func(o *node.Options) { o.SSH.IdentityFile = "/nonexistent" }, push.Hold, "authorized_keys"},
		"unknown host key": {func(o *node.Options) { o.SSH.KnownHosts = "/dev/null" }, push.Hold, "known_hosts"},
		"wrong option":     {func(o *node.Options) { o.SSH.Options = []string{"NoSuchOption=yes"} }, push.Hold, "ssh: options"},
		"no ssh":           {func(o *node.Options) { o.SSH.Command = "/nonexistent/ssh" }, push.Hold, "ssh"},
		"no rsync there":   {func(o *node.Options) { o.Args = []string{"--rsync-path=/nonexistent/rsync"} }, push.Hold, "install rsync"},
		"parent missing":   {func(o *node.Options) { o.Address.Path = "/nonexistent/path/" }, push.Hold, "directory"},
	} {
		t.Run(name, func(t *testing.T) {
			n := p.node(t, func(o *node.Options) { o.SSH.Options = []string{"IdentitiesOnly=yes", "IdentityAgent=none"} }, tt.change)
			n.write("f")
			res := n.Push(t.Context(), set("ic f"))
			if res.Outcome != tt.want || !strings.Contains(res.Cure, tt.cure) {
				t.Errorf("Push: got %v, %v, cure %q; want %v, with %q", res.Outcome, res.Err, res.Cure, tt.want, tt.cure)
			}
		})
	}
}

// Pushes share a connection, which ends with the engine, and nothing in the
// path reaches a shell at the other end.
func TestSSHConnection(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync")
	odd := " $(touch x)'\"\\;[d]*\\*?"
	if v, err := process.Version(t.Context(), ""); err == nil && !process.OlderThan(v, [3]int{3, 4, 1}) {
		odd += "`id`"
	}
	n := newNode(t, "ssh", func(o *node.Options) {
		o.Address.Path = strings.TrimSuffix(o.Address.Path, "/") + odd + "/"
		o.SocketDir += "/with space %h"
	})
	n.dst = strings.TrimSuffix(n.o.Address.Path, "/")
	beside := strings.NewReplacer("[d]", "d", "`id`", "", "?", "x").Replace(n.dst) // a pattern would match it
	n.do(os.Mkdir(beside, 0o755))
	n.write("f", "d/g")
	n.full()
	if entries, err := os.ReadDir(beside); err != nil || len(entries) > 0 {
		t.Errorf("what has come to %q: got %v, %v, want nothing", beside, entries, err)
	}
	sockets, err := filepath.Glob(n.o.SocketDir + "/*/s")
	if err != nil || len(sockets) != 1 {
		t.Fatalf("the shared connection's socket: got %q, %v, want one", sockets, err)
	}
	began := time.Now()
	n.remove("d")
	n.must(set("i d"))
	n.equal()
	t.Logf("push over the shared connection: %v", time.Since(began))
	dir := filepath.Dir(sockets[0])
	if err := n.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the socket's directory after Close: got %v, want none", err)
	}
}

// An older rsync that lets a node's shell see backticks is not run for a node that
// has any.
func TestBacktick(t *testing.T) {
	t.Parallel()
	old := nodetest.Wrap(t, `case "$*" in --version) echo 'rsync  version 3.2.7  protocol version 32';; *) echo ran >&2; exit 1;; esac`)
	for name, change := range map[string]func(*node.Options){
		"path": func(o *node.Options) { o.Address = node.Address{Kind: node.SSH, Host: "localhost", Path: "/srv/`id`/"} },
		"rsync_args": func(o *node.Options) {
			o.Address, o.Args = node.Address{Kind: node.SSH, Host: "localhost", Path: "/srv/"}, []string{"--usermap=*:`id`"}
		},
	} {
		n := newNode(t, "local", old, change)
		n.write("f")
		res := n.Push(t.Context(), set("a "))
		if res.Outcome != push.Hold || res.Err == nil || !strings.Contains(res.Err.Error(), "backtick") || !strings.Contains(res.Cure, "3.4.1 or newer") {
			t.Errorf("Push with a backtick in %s: got %v, %v, cure %q; want it held for a newer rsync", name, res.Outcome, res.Err, res.Cure)
		}
	}
}

// rsync splits -e back into the words that were quoted.
func TestQuoting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	show := filepath.Join(dir, "show args")
	nodetest.Program(t, show, `for a in "$@"; do printf '%s\0' "$a"; done >'`+dir+`/args'`)
	const odd = `/x y/'"$(id)\;&/`
	words := []string{"plain", "", "two words", "it's", `"quoted"`, `'"`, `back\slash`, "$(id)", "tab\there", "''", " ", "%h", "a=b"}
	n := newNode(t, "local", func(o *node.Options) {
		o.Address = node.Address{Kind: node.SSH, Host: "host", Path: odd}
		o.SSH = node.SSHOptions{Command: show, Options: words, User: "me", Port: 22}
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
	_, remote, _ := strings.Cut(rest, " host ") // is what a login shell gets
	shown, err := exec.Command("sh", "-c", `rsync() { for a; do :; done; printf '%s' "$a"; }; `+remote).Output()
	if err != nil || string(shown) != odd {
		t.Errorf("path at the node: got %q, %v, want %q", shown, err, odd)
	}
}
