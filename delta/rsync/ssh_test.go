package rsync

import (
	"os"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/push"
)

func TestSSHFailures(t *testing.T) {
	t.Parallel()
	p := newSite(t, "ssh")
	for name, tt := range map[string]struct {
		change func(*Options)
		want   push.Outcome
		cure   string
	}{
		"key refused":      {func(o *Options) { o.SSH.IdentityFile = "/nonexistent" }, push.Hold, "authorized_keys"},
		"unknown host key": {func(o *Options) { o.SSH.KnownHosts = "/dev/null" }, push.Hold, "known_hosts"},
		"wrong option":     {func(o *Options) { o.SSH.Options = []string{"NoSuchOption=yes"} }, push.Hold, "ssh: options"},
		"no ssh":           {func(o *Options) { o.SSH.Command = "/nonexistent/ssh" }, push.Hold, "ssh"},
		"no rsync there":   {func(o *Options) { o.Args = []string{"--rsync-path=/nonexistent/rsync"} }, push.Hold, "install rsync"},
		"parent missing":   {func(o *Options) { o.Address.Path = "/nonexistent/path/" }, push.Hold, "directory"},
	} {
		t.Run(name, func(t *testing.T) {
			n := p.node(t, func(o *Options) { o.SSH.Options = []string{"IdentitiesOnly=yes", "IdentityAgent=none"} }, tt.change)
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
	n := newNode(t, "ssh", func(o *Options) {
		o.Address.Path = strings.TrimSuffix(o.Address.Path, "/") + " $(touch x)'\"`id`;*/"
		o.SocketDir += "/with space %h"
	})
	n.dst = strings.TrimSuffix(n.o.Address.Path, "/")
	n.write("f", "d/g")
	n.full()
	if _, err := os.Stat(n.ssh.dir + "/s"); err != nil {
		t.Fatalf("the shared connection's socket: %v", err)
	}
	began := time.Now()
	n.remove("d")
	n.must(set("i d"))
	n.equal()
	t.Logf("push over the shared connection: %v", time.Since(began))
	dir := n.ssh.dir
	if err := n.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the socket's directory after Close: got %v, want none", err)
	}
}
