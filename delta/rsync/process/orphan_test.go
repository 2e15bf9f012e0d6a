package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
)

// script starts a shell script as an rsync.
func script(t *testing.T, user, text string) (*Process, error) {
	dir, err := os.Open("/")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	s := Spec{Program: "/bin/sh", Args: []string{"-c", text}, Dir: dir, Env: Environment(), Attr: &syscall.SysProcAttr{Setsid: true}}
	if user != "" {
		u, err := osuser.Lookup(user)
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		s.Attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return Start(t.Context(), s, func(string) bool { return false })
}

// hasEnded reports whether a process has ended, though nobody may have waited for
// it yet.
func hasEnded(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return err != nil || bytes.HasPrefix(state, []byte("Z")) || bytes.HasPrefix(state, []byte("X"))
}

// A daemon that is killed leaves no rsync behind, not even one that takes no
// notice of anything but SIGKILL, or that runs as another user.
func TestKilledDaemonLeavesNoRsync(t *testing.T) {
	if user, daemon := os.LookupEnv(asDaemon); daemon {
		p, err := script(t, user, `trap "" TERM HUP PIPE; while :; do sleep 1; done`)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("rsync", p.cmd.Process.Pid)
		p.Finish([]byte("list"), 0)
		return
	}
	for _, user := range []string{"", "nobody"} {
		t.Run("user "+user, func(t *testing.T) {
			if user != "" && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			pid := killedDaemon(t, user)
			labtest.Eventually(t, func() error {
				if !hasEnded(pid) {
					return fmt.Errorf("rsync %s works on after the daemon was killed", pid)
				}
				return nil
			})
		})
	}
}

// asDaemon has this test start an rsync as the user that it names, as a daemon.
const asDaemon = "INOSYNCD_TEST_DAEMON_OF"

// killedDaemon kills a daemon and returns the pid of its rsync.
func killedDaemon(t *testing.T, user string) string {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDaemonLeavesNoRsync$")
	cmd.Env = append(os.Environ(), asDaemon+"="+user)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, ok := strings.CutPrefix(strings.TrimSpace(line), "rsync ")
	if !ok || hasEnded(pid) {
		t.Errorf("the daemon: got %q, %v, want the pid of an rsync", line, err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	t.Cleanup(func() {
		if n, err := strconv.Atoi(pid); err == nil && t.Failed() {
			_ = unix.Kill(n, unix.SIGKILL)
		}
	})
	return pid
}

// The end of a thread is not that of the daemon, be it the thread of the
// goroutine that has started rsync.
func TestRsyncOutlivesThreads(t *testing.T) {
	var p *Process
	var err error
	thread := make(chan int)
	onThreadThatEnds(func() {
		p, err = script(t, "", "read list; exit 7")
		thread <- unix.Gettid()
	})
	path := fmt.Sprintf("/proc/self/task/%d", <-thread)
	if err != nil {
		t.Fatal(err)
	}
	labtest.Eventually(t, func() error {
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("%s is there still", path)
		}
		return nil
	})
	if end := p.Finish([]byte("list\n"), 0); end.Code != 7 {
		t.Errorf("rsync ended with %d, %q, want 7", end.Code, end.Notes)
	}
}

// onThreadThatEnds runs f on a thread that ends with it, as all do that a
// goroutine leaves locked, but for the first of the process.
func onThreadThatEnds(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onThreadThatEnds(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
}
