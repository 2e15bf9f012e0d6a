package rsync

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

func TestJudge(t *testing.T) {
	tests := []struct {
		name  string
		code  int
		notes []string
		want  push.Outcome
		cure  string // a part of it
	}{
		{"success", 0, nil, push.Done, ""},
		{"success, with a warning of ssh", 0, []string{"Connection refused"}, push.Done, ""},
		{"vanished", 24, []string{`file has vanished: "/s/f"`}, push.Done, ""},
		{"partial", 23, []string{`rsync: [sender] send_files failed to open "/s/f": Permission denied (13)`}, push.Partly, "read the files"},
		{"partial, a directory", 23, []string{`rsync: [sender] opendir "/s/d" failed: Permission denied (13)`}, push.Partly, "read the directories"},
		{"partial, not for writing", 23, []string{`rsync: [receiver] mkstemp "/d/.f.abcdef" failed: Permission denied (13)`}, push.Partly, "node's user"},
		{"partial, not to be changed", 23, []string{`rsync: [receiver] chown "/d/.f.abcdef" failed: Operation not permitted (1)`}, push.Partly, "owner"},
		{"partial, about an odd name", 23, []string{`rsync: [sender] send_files failed to open "/s/Host key verification failed": Permission denied (13)`}, push.Partly, ""},
		{"partial, disk full", 23, []string{`rsync: [receiver] mkstemp "/d/.f.abcdef" failed: No space left on device (28)`}, push.Partly, "room"},
		{"disk full", 11, []string{`rsync: [receiver] write failed on "/d/f": No space left on device (28)`}, push.Again, "room"},
		{"quota", 11, []string{`rsync: [receiver] write failed on "/d/f": Disk quota exceeded (122)`}, push.Again, "quota"},
		{"parent missing", 11, []string{`rsync: [Receiver] mkdir "/d/x" failed: No such file or directory (2)`}, push.Hold, "directory"},
		{"wrong password", 5, []string{"@ERROR: auth failed on module m"}, push.Hold, "password_file"},
		{"unknown module", 5, []string{"@ERROR: Unknown module 'x'"}, push.Hold, "module"},
		{"denied", 5, []string{"@ERROR: access denied to m from localhost (127.0.0.1)"}, push.Hold, "hosts allow"},
		{"crowded", 5, []string{"@ERROR: max connections (1) reached -- try again later"}, push.Again, "max connections"},
		{"read only", 1, []string{"ERROR: module is read only"}, push.Hold, "read only"},
		{"refused option", 4, []string{"rsync: The server is configured to refuse --delete"}, push.Hold, "refuse"},
		{"refused connection", 10, []string{"rsync: [sender] failed to connect to h (127.0.0.1): Connection refused (111)"}, push.Again, "port"},
		{"unknown host", 10, []string{"rsync: [sender] getaddrinfo: h 873: Name or service not known"}, push.Again, "name"},
		{"timeout", 30, nil, push.Again, "timeout"},
		{"connect timeout", 35, nil, push.Again, "firewall"},
		{"broken off", 12, []string{"rsync: connection unexpectedly closed (0 bytes received so far) [sender]"}, push.Again, "log"},
		{"too old", 12, []string{"rsync: --modify-window=-1: unknown option"}, push.Hold, "upgrade"},
		{"banner", 2, []string{"protocol version mismatch -- is your shell clean?"}, push.Hold, "silent"},
		{"no rsync there", 127, []string{"bash: line 1: rsync: command not found"}, push.Hold, "install"},
		{"no rsync there, exit of rsync", 12, []string{"sh: 1: rsync: not found", "rsync: connection unexpectedly closed (0 bytes received so far) [sender]"}, push.Hold, "install"},
		{"no rsync there, named", 12, []string{"bash: line 1: /opt/rsync: No such file or directory"}, push.Hold, "install"},
		{"no rsync there, zsh", 12, []string{"zsh:1: command not found: rsync"}, push.Hold, "install"},
		{"no directory there", 12, []string{`rsync: [Receiver] change_dir "/x/rsync" failed: No such file or directory (2)`}, push.Again, ""},
		{"host key", 255, []string{"Host key verification failed."}, push.Hold, "known_hosts"},
		{"host key, exit of rsync", 12, []string{"Host key verification failed."}, push.Hold, "known_hosts"},
		{"key refused", 255, []string{"u@h: Permission denied (publickey)."}, push.Hold, "authorized_keys"},
		{"ssh host unknown", 255, []string{"ssh: Could not resolve hostname h: Name or service not known"}, push.Again, "name"},
		{"ssh refused", 255, []string{"ssh: connect to host h port 22: Connection refused"}, push.Again, "sshd"},
		{"ssh", 255, nil, push.Again, "ssh"},
		{"no ssh", 14, []string{"rsync: [sender] Failed to exec ssh: No such file or directory (2)"}, push.Hold, "ssh"},
		{"signal", 20, nil, push.Again, ""},
		{"killed", -1, []string{"signal: killed"}, push.Again, ""},
		{"never seen", 99, nil, push.Again, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(&process.Exit{Code: tt.code, Notes: tt.notes})
			if v.outcome != tt.want || !strings.Contains(v.cure, tt.cure) {
				t.Errorf("judge(%d, %q): got %v, %q; want %v, with %q", tt.code, tt.notes, v.outcome, v.cure, tt.want, tt.cure)
			}
			if (v.err == nil) != (tt.want == push.Done) {
				t.Errorf("judge(%d, %q): got error %v", tt.code, tt.notes, v.err)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	end := &process.Exit{Code: 12, Notes: []string{
		"welcome \x1b[31mto the node",
		"rsync: [sender] evil \x1b]0;x\x07\xff " + strings.Repeat("long ", 500),
		"rsync error: error in rsync protocol data stream (code 12) at io.c(285) [sender=3.5.0]",
	}}
	got := judge(end).err.Error()
	if !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\x07") || !strings.Contains(got, `evil \x1b]0;x\a\xff long`) || len(got) > 400 {
		t.Errorf("judge: got error %q", got)
	}
	end.Notes = end.Notes[2:]
	if got, want := judge(end).err.Error(), "rsync: rsync error: error in rsync protocol data stream (exit code 12)"; got != want {
		t.Errorf("judge: got error %q, want %q", got, want)
	}
}

// The table against the programs themselves.
func TestRealFailures(t *testing.T) {
	t.Parallel()
	d := labtest.Daemon(t,
		lab.Module{Name: "ro", Path: t.TempDir(), ReadOnly: true},
		lab.Module{Name: "auth", Path: t.TempDir(), Users: map[string]string{"u": "secret"}},
		lab.Module{Name: "denied", Path: t.TempDir(), HostsDeny: "*"},
		lab.Module{Name: "nopath", Path: "/nonexistent/path"},
		lab.Module{Name: "ok", Path: t.TempDir()})
	module := func(path string) node.Address {
		return node.Address{Kind: node.Daemon, Host: "127.0.0.1", Port: d.Port(), Path: path + "/"}
	}
	user := func(o *node.Options) { o.Address.User = "u" }
	password := func(text string, mode os.FileMode) func(*node.Options) { return nodetest.PasswordFile(t, text, mode) }
	none := func(*node.Options) {}
	refused := labtest.Refused(t)
	silent := labtest.Silent(t)
	port := func(p int) func(*node.Options) { return func(o *node.Options) { o.Address.Port = p } }
	short := func(o *node.Options) { o.Timeout = time.Second; o.Address.Port = silent.Port() }
	tests := []struct {
		name    string
		address node.Address
		change  func(*node.Options)
		want    push.Outcome
		cure    string
	}{
		{"good", module("ok"), none, push.Done, ""},
		{"good password", module("auth"), password("secret\n", 0o600), push.Done, ""},
		{"wrong password", module("auth"), password("wrong", 0o400), push.Hold, "password_file"},
		{"no password", module("auth"), user, push.Hold, "password_file"},
		{"open password file", module("auth"), password("secret", 0o640), push.Hold, "password file"},
		{"unknown module", module("nomodule"), none, push.Hold, "module's name"},
		{"read only", module("ro"), none, push.Hold, "read only"},
		{"denied", module("denied"), none, push.Hold, "hosts allow"},
		{"no path", module("nopath"), none, push.Hold, "path"},
		{"parent missing", module("ok/a/b/c"), none, push.Hold, "directory"},
		{"refused", module("ok"), port(refused.Port()), push.Again, "port"},
		{"silent", module("ok"), short, push.Again, "timeout"},
		{"local, parent missing", node.Address{Kind: node.Local, Path: "/nonexistent/path/"}, none, push.Hold, "directory"},
		{"no program", module("ok"), func(o *node.Options) { o.Program = "/nonexistent/rsync" }, push.Hold, "install"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNode(t, "local", func(o *node.Options) { o.Address = tt.address }, tt.change)
			n.write("f")
			n.age()
			res := n.Push(t.Context(), set("ic f"))
			if res.Outcome != tt.want || !strings.Contains(res.Cure, tt.cure) {
				t.Errorf("Push: got %v, %v, cure %q; want %v, with %q", res.Outcome, res.Err, res.Cure, tt.want, tt.cure)
			}
			if strings.Contains(fmt.Sprint(res.Err), "secret") {
				t.Errorf("Push: the error tells the password: %v", res.Err)
			}
		})
	}
}
