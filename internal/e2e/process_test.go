package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/leak"
	"inosyncd/internal/logging"
)

// TestStopSendsWhatIsPending stops the daemon long before a change is due.
func TestStopSendsWhatIsPending(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	s.startSynced(s.config("edelay: 5m", n), n)
	// Nothing outside tells when the daemon has noticed a change, so there are
	// so many that it has had the time for the first.
	for i := range 2000 {
		write(t, s.path(fmt.Sprint("pending", i)), "p")
	}
	code, err := s.Stop()
	if want := 128 + int(syscall.SIGTERM); err != nil || code != want {
		t.Errorf("Stop: got exit code %d, %v, want %d", code, err, want)
	}
	if !exists(n.dst + "/pending0") {
		t.Error("what was pending at the stop was not sent")
	}
}

// TestReload gives the daemon a faulty configuration and then one with another
// node.
func TestReload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := s.local("a"), s.local("b")
	s.startSynced(s.config("", a), a)

	must(t, s.Configure(s.config("edelya: 1", a, b)), s.Signal(syscall.SIGHUP))
	l := s.wait(1, "keeping the old configuration", "level", "ERROR")
	if err := fmt.Sprint(l.Attrs["err"]); !strings.Contains(err, "inosync.yaml:") || !strings.Contains(err, "edelya") {
		t.Errorf("the fault in the log: got %q, want its file, line and key", err)
	}
	write(t, s.path("one"), "1")
	holds(t, a.dst+"/one", "1")
	if exists(b.dst + "/one") {
		t.Error("a faulty configuration was applied")
	}

	must(t, s.Configure(s.config("", a, b)), s.Signal(syscall.SIGHUP))
	s.wait(1, "configuration reloaded")
	write(t, s.path("two"), "2")
	s.same(a, b)
}

// TestPidFile starts a second daemon on the first one's pid file.
func TestPidFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	file := filepath.Join(s.dir, "pid")
	s.startSynced(s.config(fmt.Sprintf("pid_file: %q", file), n), n)
	holds(t, file, fmt.Sprintf("%d\n", s.PID()))

	code, out := inosyncd(t, "-c", s.ConfigFile())
	if code != 1 || !strings.Contains(out, fmt.Sprint(s.PID())) {
		t.Errorf("a second daemon: got exit code %d and %q, want 1 and the number of the first", code, out)
	}
	s.Kill() // leaves the file, and no lock
	s.startSynced(s.config(fmt.Sprintf("pid_file: %q", file), n), n)
	s.wait(1, "the last daemon was killed: nodes will be compared twice")
	holds(t, file, fmt.Sprintf("%d\n", s.PID()))
	_, err := s.Stop()
	must(t, err)
	if exists(file) {
		t.Error("the pid file is there after the stop")
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	faulty := filepath.Join(s.dir, "faulty.yaml")
	write(t, faulty, "wpath: relative\nunknown: 1\nrnodes: [/mnt/x/]\n")
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"unknown option", []string{"--nonsense"}, 2, "nonsense"},
		{"positional argument", []string{"-c", faulty, "extra"}, 2, "extra"},
		{"faulty configuration", []string{"-c", faulty}, 78, "faulty.yaml:2:1:"},
		{"faulty configuration, check", []string{"check", "-c", faulty}, 78, "faulty.yaml:1:8:"},
		{"faulty configuration, in the background", []string{"-d", "-c", faulty}, 78, "unknown"},
		{"no configuration", []string{"-c", s.dir + "/none.yaml"}, 78, "none.yaml"},
		{"help", []string{"--help"}, 0, "--pretend"},
		{"version", []string{"--version"}, 0, "inosyncd "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, out := inosyncd(t, tt.args...)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("inosyncd %q: got exit code %d and %q, want %d and %q", tt.args, code, out, tt.code, tt.says)
			}
		})
	}
}

// TestDaemonize starts the daemon in the background.
func TestDaemonize(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	pidFile := filepath.Join(s.dir, "pid")
	config := filepath.Join(s.dir, "background.yaml")
	write(t, config, s.config(fmt.Sprintf("pid_file: %q\nlog_file: %q", pidFile, s.dir+"/log"), n))

	t.Cleanup(func() { stopByPidFile(t, pidFile) })
	if code, out := inosyncd(t, "-d", "-c", config); code != 0 {
		t.Fatalf("inosyncd -d: got exit code %d and %q, want 0", code, out)
	}
	write(t, s.path("file"), "f") // it watches: this is seen
	holds(t, n.dst+"/file", "f")
}

// TestDaemonizeWithoutALogFile starts it where its log goes to syslog, or where
// it is said that it goes nowhere.
func TestDaemonizeWithoutALogFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pidFile := filepath.Join(s.dir, "pid")
	config := filepath.Join(s.dir, "background.yaml")
	write(t, config, s.config(fmt.Sprintf("pid_file: %q", pidFile), s.local("local")))
	t.Cleanup(func() { stopByPidFile(t, pidFile) })

	want := ""
	if system, err := logging.OpenSyslog("", ""); err == nil {
		must(t, system.Close())
	} else {
		want = "inosyncd: warning: the log is discarded, as there is neither a log_file nor a syslog\n"
	}
	if code, out := inosyncd(t, "-d", "-c", config); code != 0 || out != want {
		t.Errorf("inosyncd -d: got exit code %d and %q, want 0 and %q", code, out, want)
	}
}

// stopByPidFile stops a daemon that is not our child, if there is one, and
// waits until it has ended.
func stopByPidFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	must(t, err, syscall.Kill(pid, syscall.SIGTERM))
	labtest.Eventually(t, func() error {
		if exists(file) || proc(pid, "cmdline") != "" {
			return errors.New("the daemon has not ended")
		}
		return nil
	})
	if text, err := os.ReadFile(filepath.Join(os.Getenv(leak.Dir), fmt.Sprint(pid))); err == nil {
		t.Errorf("the daemon has left something:\n%s", text)
	}
}

// inosyncd runs a command to its end.
func inosyncd(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), labtest.Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return exitCode(err), string(b)
}

func exitCode(err error) int {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return 0
}

// TestBrokenLog has whoever read the log go away, as a pager or journald can.
func TestBrokenLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	file := filepath.Join(s.dir, "inosync.yaml")
	must(t, os.WriteFile(file, []byte(s.config("", n)), 0o600))
	reader, writer, err := os.Pipe()
	must(t, err)
	cmd := exec.Command(binary, "-c", file)
	cmd.Stderr = writer
	must(t, cmd.Start(), writer.Close())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	write(t, s.path("one"), "1")
	holds(t, n.dst+"/one", "1")
	must(t, reader.Close())
	for _, name := range []string{"two", "three"} { // each has a line
		write(t, s.path(name), name)
		holds(t, n.dst+"/"+name, name)
	}
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	_ = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), 128+int(syscall.SIGTERM); got != want {
		t.Errorf("stopped after its log broke: got %v, want exit code %d", cmd.ProcessState, want)
	}
}
