package lab_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// rsync runs the stock program without a password to ask for.
func rsync(args ...string) (string, error) {
	cmd := exec.Command("rsync", append([]string{"--timeout=20", "--contimeout=20"}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestDaemon(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync")
	free, locked, fixed, denied := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	d := labtest.Daemon(t,
		lab.Module{Name: "free", Path: free},
		lab.Module{Name: "locked", Path: locked, Users: map[string]string{"push": "se cret", "other": "o"}},
		lab.Module{Name: "fixed", Path: fixed, ReadOnly: true},
		lab.Module{Name: "denied", Path: denied, HostsDeny: "*"},
	)
	src := t.TempDir()
	must(t, os.Symlink("/target", src+"/link"))
	write(t, src+"/file", "x")

	tests := []struct {
		name, user, module, password, dir string
		want                              string // of the output; "" is success
	}{
		{"anybody", "", "free", "", free, ""},
		{"right password", "push", "locked", d.PasswordFile("push", "locked"), locked, ""},
		{"wrong password", "push", "locked", d.PasswordFile("other", "locked"), locked, "auth failed"},
		{"read only", "", "fixed", "", fixed, "read only"},
		{"denied", "", "denied", "", denied, "access denied"},
		{"unknown module", "", "none", "", free, "Unknown module"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"-a", src + "/", d.URL(tt.user, tt.module)}
			if tt.password != "" {
				args = append(args, "--password-file="+tt.password)
			}
			out, err := rsync(args...)
			if tt.want != "" {
				if err == nil || !strings.Contains(out, tt.want) {
					t.Errorf("rsync to %s: got %v, %q, want %q", args[1], err, out, tt.want)
				}
				return
			}
			want := "/target"
			if os.Geteuid() != 0 {
				want = "target" // without a chroot
			}
			if got, _ := os.Readlink(tt.dir + "/link"); err != nil || got != want {
				t.Errorf("rsync to %s: got %v, %q and a link to %q, want one to %q", args[1], err, out, got, want)
			}
		})
	}
}

func TestDaemonComesBack(t *testing.T) {
	t.Parallel()
	d := labtest.Daemon(t, lab.Module{Name: "m", Path: t.TempDir()})
	for _, end := range []func(){d.Stop, d.Kill} {
		end()
		if out, err := rsync(d.URL("", "m")); err == nil {
			t.Errorf("rsync to a stopped daemon: got %q", out)
		}
		must(t, d.Restart())
		if out, err := rsync(d.URL("", "m")); err != nil {
			t.Errorf("rsync after Restart: got %v, %q", err, out)
		}
	}
	must(t, d.Restart())
	if out, err := rsync(d.URL("", "m")); err != nil {
		t.Errorf("rsync after Restart of a running daemon: got %v, %q", err, out)
	}
}

// TestKillIsForAll kills a server whose children start others all the time.
func TestKillIsForAll(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync", "sleep")
	mark := fmt.Sprintf("300.%d", os.Getpid()) // seconds
	program := script(t, `(i=0; while [ $i -lt 300 ]; do i=$((i+1)); sleep `+mark+` & sleep 0.01; done) &`, `exec rsync "$@"`)
	d, err := lab.StartDaemon(t.TempDir(), lab.DaemonOptions{Program: program})
	must(t, err)
	labtest.Eventually(t, func() error {
		if len(sleepers(mark)) == 0 {
			return errors.New("no child has been started")
		}
		return nil
	})
	d.Kill()
	if left := sleepers(mark); len(left) > 0 {
		t.Errorf("after Kill: %d processes are left", len(left))
	}
}

// sleepers are the processes of sleep(1) for so long.
func sleepers(mark string) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), "sleep\x00"+mark) {
			found = append(found, file)
		}
	}
	return found
}

func TestDaemonThatEnds(t *testing.T) {
	t.Parallel()
	program := script(t, "echo not today", "exit 3")
	_, err := lab.StartDaemon(t.TempDir(), lab.DaemonOptions{Program: program})
	if err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("StartDaemon with a program that ends: got %v, want what it said", err)
	}
}

func TestDaemonOnATakenPort(t *testing.T) {
	t.Parallel()
	d := labtest.Daemon(t)
	d.Stop()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", d.Port()))
	must(t, err)
	defer l.Close()
	if err := d.Restart(); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("Restart on a taken port: got %v, want that it is taken", err)
	}
}

// TestDaemonDiesWithItsOwner kills the owner, which then can tidy up nothing.
func TestDaemonDiesWithItsOwner(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ownerDir+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	var port int
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	_, err = fmt.Sscanf(line, "port %d", &port)
	must(t, err)
	if out, err := rsync(fmt.Sprintf("rsync://127.0.0.1:%d/", port)); err != nil {
		t.Fatalf("rsync while the owner lives: got %v, %q", err, out)
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	labtest.Eventually(t, func() error {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = c.Close()
			return errors.New("the daemon outlives its owner")
		}
		return nil
	})
}

// ssh is a command that logs in.
func ssh(s *lab.SSHD, args ...string) *exec.Cmd {
	return exec.Command("ssh", append([]string{
		"-F", "none", "-o", "BatchMode=yes", "-o", "UserKnownHostsFile=" + s.KnownHosts, "-o", "IdentitiesOnly=yes",
		"-i", s.IdentityFile, "-p", fmt.Sprint(s.Port()), "-l", s.User, "127.0.0.1",
	}, args...)...)
}

func TestSSHD(t *testing.T) {
	t.Parallel()
	s := labtest.SSHD(t)
	if out, err := ssh(s, "ls", "-A", "$HOME", "&&", "echo", "in").Output(); err != nil || string(out) != "in\n" {
		t.Fatalf("ssh: got %q, %v, want to be let in to an empty home", out, err)
	}

	// A running session ends with the server, as when the machine goes.
	file := filepath.Join(t.TempDir(), "pid")
	session := ssh(s, "echo $$ >"+file+".new && mv "+file+".new "+file+" && exec sleep 1000")
	must(t, session.Start())
	var pid int
	labtest.Eventually(t, func() error {
		text, err := os.ReadFile(file)
		if err == nil {
			_, err = fmt.Sscan(string(text), &pid)
		}
		return err
	})
	s.Stop()
	if there(pid) {
		t.Errorf("process %d of a session outlives the server", pid)
	}
	if err := session.Wait(); err == nil {
		t.Error("ssh ended without an error when the server went")
	}

	must(t, s.Restart())
	if out, err := ssh(s, "echo", "in").Output(); err != nil || string(out) != "in\n" {
		t.Errorf("ssh after Restart: got %q, %v, want to be let in by the same keys", out, err)
	}
}

func TestNeed(t *testing.T) {
	t.Parallel()
	must(t, lab.Need("sh", "go"))
	err := lab.Need("sh", "no-such-program", "another-one")
	if err == nil || !strings.Contains(err.Error(), "apt-get install no-such-program") ||
		!strings.Contains(err.Error(), "another-one") {
		t.Errorf("Need: got %v, want both missing programs and how to get them", err)
	}
}

func TestEventually(t *testing.T) {
	t.Parallel()
	calls := 0
	must(t, lab.Eventually(time.Minute, func() error {
		if calls++; calls < 4 {
			return errors.New("not yet")
		}
		return nil
	}))
	never := errors.New("never")
	if err := lab.Eventually(10*time.Millisecond, func() error { return never }); !errors.Is(err, never) {
		t.Errorf("Eventually: got %v, want the last error", err)
	}
}
