package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/leak"
)

// below are the processes below pid.
func below(pid int) []int {
	var all []int
	for _, kid := range leak.Children(pid) {
		all = append(append(all, kid), below(kid)...)
	}
	return all
}

// proc reads a file of a process: its arguments or its environment, one a line.
func proc(pid int, name string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	return strings.ReplaceAll(string(text), "\x00", "\n")
}

// TestSecrets looks for a password wherever it must not be, while an rsync that
// knows it waits for its next list and an ssh runs beside it.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const password = "password of push" // as module makes it
	s := newSite(t)
	module, daemon := s.module("module", "push")
	remote, _ := s.ssh("remote")
	s.start(s.config("", module, remote), "-v")
	for i, n := range []node{module, remote} {
		s.wait(1, "pushed", "node", n.name)
		write(t, s.path(fmt.Sprint(i)), "x")
		holds(t, n.dst+fmt.Sprint("/", i), "x")
	}
	labtest.Eventually(t, func() error {
		var knows, ssh bool
		for _, pid := range append(below(s.PID()), s.PID()) {
			args, env := proc(pid, "cmdline"), proc(pid, "environ")
			isSSH := strings.HasPrefix(args, "ssh\n")
			ssh = ssh || isSSH
			if strings.Contains(args, password) {
				t.Fatalf("the password is in the arguments %q", args)
			}
			if !strings.Contains(env, password) {
				continue
			}
			knows = true
			if isSSH || !strings.Contains(args, module.name) {
				t.Fatalf("the password is in the environment of %q", args)
			}
		}
		if !knows || !ssh {
			return errors.New("no rsync and no ssh to look at")
		}
		return nil
	})

	replace(t, daemon.PasswordFile("push", "module"), "another secret\n")
	s.command("resync") // by a connection of its own, unlike the one that waits
	s.wait(1, "held", "node", module.name)
	all := s.Log() + s.Output() + s.command("status") + s.command("status", "--json") + s.command("explain", "0")
	for _, secret := range []string{password, "another secret"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the log or the status", secret)
		}
	}
}

// TestNoCoreDumps wants no core of the daemon, nor of an rsync or an ssh, though
// the limit would allow one.
func TestNoCoreDumps(t *testing.T) {
	var was unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_CORE, &was))
	if was.Max == 0 {
		t.Skip("needs a hard limit of core files above 0")
	}
	must(t, unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: was.Max, Max: was.Max}))
	t.Cleanup(func() { must(t, unix.Setrlimit(unix.RLIMIT_CORE, &was)) })
	s := newSite(t)
	remote, _ := s.ssh("remote")
	s.startSynced(s.config("", remote), remote)
	labtest.Eventually(t, func() error {
		children := below(s.PID())
		if len(children) < 2 {
			return fmt.Errorf("children: got %v, want an armed rsync and its ssh", children)
		}
		for _, pid := range append(children, s.PID()) {
			limits := proc(pid, "limits")
			if limits != "" && !noCore.MatchString(limits) {
				t.Fatalf("limits of %q:\n%s\nwant no core file", proc(pid, "cmdline"), limits)
			}
		}
		return nil
	})
}

// noCore matches the limits of a process that leaves no core: proc_pid_limits(5).
var noCore = regexp.MustCompile(`(?m)^Max core file size +0 +0 `)

// TestNamesInTheLog writes names into the log that would colour a terminal or
// make lines of their own.
func TestNamesInTheLog(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			n := s.local("local")
			names := []string{"\x1b[31mred", "a\nlevel=ERROR msg=forged", "b\r\x07\x7f", "\xc2\x9b31m"}
			s.start(s.config("log_format: "+format, n), "-v")
			for _, name := range names {
				write(t, s.path(name), "x")
				holds(t, n.dst+"/"+name, "x")
			}
			must(t, os.Chmod(n.dst, 0o755))
			for _, name := range names {
				must(t, os.Remove(s.path(name)))
			}
			s.same(n)
			out := s.Log() + s.command("status") + s.command("explain", names[0])
			if i := strings.IndexFunc(out, func(r rune) bool { return r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) }); i >= 0 {
				t.Errorf("control bytes in the output: %q", out[max(0, i-100):min(len(out), i+100)])
			}
			if strings.Contains(out, "\nlevel=ERROR msg=forged") || !strings.Contains(out, "forged") {
				t.Errorf("a name forged a line, or is not there: %q", out)
			}
		})
	}
}
