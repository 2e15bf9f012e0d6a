package lab_test

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inosyncd/internal/lab"
)

// ownerDir makes the test binary an owner of servers that is killed.
const ownerDir = "LAB_TEST_OWNER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerDir); dir != "" {
		own(dir)
	}
	if signal.Ignored(syscall.SIGHUP) { // by nohup(1): a shell could not trap it
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	goleak.VerifyTestMain(m)
}

// own starts a daemon, tells its port and waits to be killed.
func own(dir string) {
	d, err := lab.StartDaemon(dir, lab.DaemonOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("port", d.Port())
	time.Sleep(time.Minute)
	os.Exit(1)
}

// script makes an executable file and returns its path.
func script(t *testing.T, lines ...string) string {
	t.Helper()
	path := t.TempDir() + "/program"
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+strings.Join(lines, "\n")+"\n"), 0o755))
	return path
}

// there reports whether a process exists and is more than an entry in the
// process table.
func there(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && syscall.Kill(pid, 0) == nil && !strings.Contains(string(stat), ") Z ")
}
