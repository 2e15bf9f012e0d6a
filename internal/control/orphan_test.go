package control_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"inosyncd/internal/control"
)

const (
	listenAt = "CONTROL_TEST_LISTEN" // has the test listen, leave that to a child, and end
	hold     = "CONTROL_TEST_HOLD"   // has the test keep what it has inherited
	self     = "-test.run=^TestOrphanedSocketIsReplaced$"
)

// TestOrphanedSocketIsReplaced has a child of a daemon that was killed keep the
// listening socket, as one does for the moment from fork(2) to execve(2).
func TestOrphanedSocketIsReplaced(t *testing.T) {
	switch path := os.Getenv(listenAt); {
	case os.Getenv(hold) != "":
		_, _ = io.Copy(io.Discard, os.Stdin) // to its end
		os.Exit(0)
	case path != "":
		os.Exit(listenAndLeave(path))
	}
	path := filepath.Join(shortDir(t), "sock")
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // ends the one that holds the socket
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", self)
	cmd.Env, cmd.Stdin = append(os.Environ(), listenAt+"="+path), in
	err = cmd.Run()
	_ = in.Close()
	if err != nil {
		t.Fatalf("listening in another process: %v", err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the socket is not held: %v", err)
	}
	_ = c.Close()
	s, err := tryServe(path)
	if err != nil {
		t.Fatalf("Serve() at the socket of a dead process: %v", err)
	}
	defer s.Close()
	if _, err := control.NewClient(path).Status(t.Context()); err != nil {
		t.Errorf("Status(): %v", err)
	}
}

func listenAndLeave(path string) int {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return 2
	}
	f, err := l.File()
	if err != nil {
		return 3
	}
	cmd := exec.Command("/proc/self/exe", self)
	cmd.Env, cmd.Stdin = append(os.Environ(), hold+"=1"), os.Stdin
	cmd.ExtraFiles = []*os.File{f}
	if cmd.Start() != nil {
		return 4
	}
	return 0
}
