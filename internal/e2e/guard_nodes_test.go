package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inosyncd/internal/lab"
)

// edit replaces text in the configuration of an rsync daemon, which reads it at
// every connection, and returns what puts it back.
func edit(t *testing.T, d *lab.Daemon, old, now string) (undo func()) {
	t.Helper()
	conf := filepath.Join(filepath.Dir(d.LogFile()), "rsyncd.conf")
	text, err := os.ReadFile(conf)
	must(t, err)
	edited := strings.Replace(string(text), old, now, 1)
	if edited == string(text) {
		t.Fatalf("%q is not in %s", old, text)
	}
	replace(t, conf, edited)
	return func() { replace(t, conf, string(text)) }
}

// replace replaces a file as a whole, with its mode kept secret.
func replace(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path))
}

// TestHeldNodesHeal gives nodes what no retry cures, sees it named, and does
// something about it. That is found out without being told.
func TestHeldNodesHeal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		reason string // part of it
		cure   string // part of it
		trip   func(s *site) (n node, heal func())
	}{
		{"read-only module", "read only", "read only = no", func(s *site) (node, func()) {
			n, d := s.module("module", "")
			return n, edit(s.t, d, "read only = false", "read only = true")
		}},
		{"module that is gone", "Unknown module", "module's name", func(s *site) (node, func()) {
			n, d := s.module("module", "")
			return n, edit(s.t, d, "[module]", "[another]")
		}},
		{"wrong password", "auth failed", "password_file", func(s *site) (node, func()) {
			n, d := s.module("module", "push")
			file := d.PasswordFile("push", "module")
			right, err := os.ReadFile(file)
			must(s.t, err)
			replace(s.t, file, "wrong\n")
			return n, func() { replace(s.t, file, string(right)) }
		}},
		{"other host key", "HOST IDENTIFICATION HAS CHANGED", "known_hosts", func(s *site) (node, func()) {
			n, d := s.ssh("remote")
			right, err := os.ReadFile(d.KnownHosts)
			must(s.t, err)
			other, err := os.ReadFile(d.IdentityFile + ".pub")
			must(s.t, err)
			replace(s.t, d.KnownHosts, fmt.Sprintf("[127.0.0.1]:%d %s", d.Port(), other))
			return n, func() { replace(s.t, d.KnownHosts, string(right)) }
		}},
		{"no rsync at the other end", "/remote-rsync: ", "install rsync on the node", func(s *site) (node, func()) {
			n, _ := s.ssh("remote")
			program := s.dir + "/remote-rsync"
			n.yaml = strings.Replace(n.yaml, "{", fmt.Sprintf("{rsync_args: ['--rsync-path=%s'], ", program), 1)
			return n, func() {
				write(s.t, program+".new", "#!/bin/sh\nexec rsync \"$@\"\n")
				must(s.t, os.Chmod(program+".new", 0o755), os.Rename(program+".new", program))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			healthy := s.local("healthy")
			n, heal := tt.trip(s)
			write(t, s.path("first"), "1")
			s.start(s.config("", healthy, n))
			l := s.wait(1, "held", "node", n.name)
			reason, cure := fmt.Sprint(l.Attrs["reason"]), fmt.Sprint(l.Attrs["cure"])
			if !strings.Contains(reason, tt.reason) || !strings.Contains(cure, tt.cure) {
				t.Errorf("held: got reason %q and cure %q, want %q and %q in them", reason, cure, tt.reason, tt.cure)
			}
			write(t, s.path("second"), "2")
			holds(t, healthy.dst+"/second", "2")
			s.isHeld(n)
			heal()
			s.same(healthy, n)
			s.wait(1, "recovered", "node", n.name)
		})
	}
}
