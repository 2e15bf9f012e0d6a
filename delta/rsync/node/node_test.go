package node

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/source"
)

// What rsync is started with, and what it gets of the environment.
func TestEnvironment(t *testing.T) {
	t.Setenv("RSYNC_RSH", "/bin/false")
	t.Setenv("RSYNC_PASSWORD", "daemon's own")
	t.Setenv("SSH_AUTH_SOCK", "/agent")
	t.Setenv("HOME", "/home")
	for kind, want := range map[Kind]string{
		Local:  "PATH LC_ALL",
		SSH:    "PATH LC_ALL SSH_AUTH_SOCK",
		Daemon: "PATH LC_ALL RSYNC_PASSWORD=",
	} {
		n, err := New(Options{Source: source.New("/"), Address: Address{Kind: kind, Host: "h", Path: "/x/"}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := n.Spec(nil)
		if err != nil {
			t.Fatal(err)
		}
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

// The agent has the keys of the user that runs the daemon: nobody else's
// processes are told where it is.
func TestAgentIsForNobodyElse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to run a process as somebody else")
	}
	t.Setenv("SSH_AUTH_SOCK", "/agent")
	for name, want := range map[string]bool{"": true, "root": true, "nobody": false} {
		n, err := New(Options{Source: source.New("/"), Address: Address{Kind: SSH, Host: "h", Path: "/x/"}, User: name})
		if err != nil {
			t.Fatal(err)
		}
		s, err := n.Spec(nil)
		if err != nil {
			t.Fatal(err)
		}
		for what, env := range map[string][]string{"rsync": s.Env, "ssh": n.Shell(t.Context(), "true").Env} {
			if got := slices.Contains(env, "SSH_AUTH_SOCK=/agent"); got != want {
				t.Errorf("%s of user %q: told where the agent is: got %v, want %v", what, name, got, want)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	none := (&Node{}).Arguments(Options{})
	for _, flag := range []string{"--perms", "--owner", "--group", "-D", "--times", "--compress", "--hard-links"} {
		if slices.Contains(none, flag) {
			t.Errorf("Arguments of nothing: got %q among %q", flag, none)
		}
	}
	got := (&Node{}).Arguments(Options{
		Archive: true, Times: true, Perms: true, Owner: true, Group: true, Xattrs: true, ACLs: true, HardLinks: true,
		Sparse: true, Compress: true, DelayUpdates: true, Partial: true,
		Timeout: 1500 * time.Millisecond, Bandwidth: 1, Args: []string{"--fuzzy"},
		Address: Address{Kind: Daemon},
	})
	for _, flag := range []string{
		"-D", "--times", "--perms", "--owner", "--group", "--xattrs", "--acls", "--hard-links", "--sparse", "--compress",
		"--delay-updates", "--partial-dir=.inosyncd-partial", "--bwlimit=1", "--fuzzy", "--modify-window=-1",
		"--sockopts=TCP_NODELAY", "--contimeout=10",
	} {
		if !slices.Contains(got, flag) {
			t.Errorf("Arguments: got %q, want %q among them", got, flag)
		}
	}
}
