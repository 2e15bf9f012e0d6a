package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/leak"
)

func TestMain(m *testing.M) {
	// A program with the race detector sleeps for a second before it exits.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	// Here, before there is another goroutine: time.Now reads it.
	time.Local = time.FixedZone("", 3600)
	testscript.Main(leakless{m}, map[string]func(){"inosyncd": func() { os.Exit(leak.Look(program)) }})
}

// leakless are the tests of the package, which leave no goroutine.
type leakless struct{ *testing.M }

func (tests leakless) Run() int {
	leak.StartNotify()
	first := goleak.IgnoreCurrent() // of libraries, made then or when they are imported
	code := tests.M.Run()
	if err := goleak.Find(first); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// TestScript runs the command line against real trees and the real rsync. The
// commands below are added to testscript's own.
func TestScript(t *testing.T) {
	if _, err := exec.LookPath("rsync"); err != nil {
		t.Skip("these tests need rsync: apt-get install rsync")
	}
	testscript.Run(t, testscript.Params{
		Dir:         "testdata",
		WorkdirRoot: labtest.Dir(t), // a short path, for the control socket
		Setup: func(env *testscript.Env) error {
			rsync, err := exec.LookPath("rsync")
			env.Defer(func() { endDaemon(env.WorkDir + "/pid") })
			env.Setenv("RSYNC", rsync)
			env.Setenv("XDG_RUNTIME_DIR", env.WorkDir)
			leaks := filepath.Join(env.WorkDir, ".leaks")
			env.Setenv(leak.Dir, leaks)
			env.Defer(func() { nothingLeft(env.T().(testing.TB), leaks) })
			return errors.Join(err, os.Mkdir(leaks, 0o700))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"asks":       cmdAsks,
			"eventually": cmdEventually,
			"exits":      cmdExits,
			"hup":        func(ts *testscript.TestScript, _ bool, args []string) { signalPid(ts, args, syscall.SIGHUP) },
			"saves":      cmdSaves,
			"subst":      cmdSubst,
			"terminate":  cmdTerminate,
		},
	})
}

// TestScriptsRunToTheirEnd finds the command of testscript itself that ends a
// script well where it stands, so that nothing after it is run.
func TestScriptsRunToTheirEnd(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts: got %q and %v", scripts, err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("\nstop")) {
			t.Errorf("%s: stop ends the script, not the daemon: that is terminate", script)
		}
	}
}

// endDaemon ends what a script that failed has left in the background.
func endDaemon(pidFile string) {
	text, _ := os.ReadFile(pidFile)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
}

// nothingLeft fails a script of which a process has left something. Those in the
// background have ended when it has, but for what a script that failed has started.
func nothingLeft(t testing.TB, dir string) {
	files, _ := filepath.Glob(dir + "/*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		t.Errorf("process %s has left something: %v\n%s", filepath.Base(file), err, text)
	}
}

// eventually same A B | contains FILE TEXT | gone FILE: polls until it holds.
func cmdEventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually same A B | contains FILE TEXT | gone FILE")
	}
	var err error
	for deadline := time.Now().Add(labtest.Limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = holds(ts, args); err == nil {
			return
		}
	}
	ts.Fatalf("eventually %s: %v", strings.Join(args, " "), err)
}

func holds(ts *testscript.TestScript, args []string) error {
	a, err := os.ReadFile(ts.MkAbs(args[1]))
	switch {
	case args[0] == "gone":
		if err == nil {
			return fmt.Errorf("%s is there", args[1])
		}
		return nil
	case err != nil:
		return err
	case args[0] == "contains":
		if !strings.Contains(string(a), args[2]) {
			return fmt.Errorf("got:\n%s", a)
		}
		return nil
	}
	b, err := os.ReadFile(ts.MkAbs(args[2]))
	if err == nil && string(a) != string(b) {
		err = fmt.Errorf("got %q and %q", a, b)
	}
	return err
}

// exits CODE PROGRAM ARG...: runs a program and asserts its exit code; what it
// prints goes to the files stdout.txt and stderr.txt.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	exe, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := exec.Command(exe, args[2:]...)
	cmd.Args[0] = args[1]
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+ts.Getenv("XDG_RUNTIME_DIR"), leak.Dir+"="+ts.Getenv(leak.Dir))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), []byte(stdout.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("stderr.txt"), []byte(stderr.String()), 0o600))
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%s: exit code: got %d, want %d\n%s%s", strings.Join(args[1:], " "), got, want, stdout.String(), stderr.String())
	}
}

// terminate FILE: ends the process whose number is in FILE and waits for its end.
func cmdTerminate(ts *testscript.TestScript, _ bool, args []string) {
	pid := signalPid(ts, args, syscall.SIGTERM)
	for deadline := time.Now().Add(labtest.Limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return
		}
	}
	ts.Fatalf("process %d did not end", pid)
}

func signalPid(ts *testscript.TestScript, args []string, sig syscall.Signal) int {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, sig))
	return pid
}

// asks SOCKET PATH: posts to the control socket; the answer goes to the file
// stdout.txt.
func cmdAsks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: asks SOCKET PATH")
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", ts.MkAbs(args[0]))
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Post("http://inosyncd"+args[1], "", nil)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("stdout.txt"), body, 0o600))
}

// subst FILE: puts the work directory and rsync's path into FILE.
func cmdSubst(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.NewReplacer("@WORK@", ts.Getenv("WORK"), "@RSYNC@", ts.Getenv("RSYNC")).Replace(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// saves N FILE TEXT: writes to FILE in place N times, a byte more each time of a
// comment, and at last what is in the file TEXT.
func cmdSaves(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for i := range n - 1 {
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte("#"+strings.Repeat("x", i)), 0o600))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[2])), 0o600))
}
