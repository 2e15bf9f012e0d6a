package control_test

import (
	"bufio"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/control"
)

func readResponse(conn net.Conn) (*http.Response, error) {
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

func tryServe(path string) (*control.Server, error) {
	return control.Serve(path, &fake{}, slog.New(slog.DiscardHandler))
}

func TestSocketMode(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	_, path := serve(t, &fake{})
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), fs.ModeSocket|0o600; got != want {
		t.Errorf("mode of the socket: got %v, want %v", got, want)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	_, path := serve(t, &fake{})
	_, err := tryServe(path)
	e, ok := errors.AsType[*control.RunningError](err)
	if !ok || e.Path != path || e.PID != os.Getpid() {
		t.Errorf("Serve() at a socket in use: got %v, want that process %d has it", err, os.Getpid())
	}
	if _, err := control.NewClient(path).Status(t.Context()); err != nil {
		t.Errorf("Status() of the first: %v", err)
	}
}

// stale leaves a socket as a killed daemon does.
func stale(t *testing.T) string {
	t.Helper()
	path := filepath.Join(shortDir(t), "sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	return path
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := stale(t)
	s, err := tryServe(path)
	if err != nil {
		t.Fatalf("Serve() at a stale socket: %v", err)
	}
	defer s.Close()
	if _, err := control.NewClient(path).Status(t.Context()); err != nil {
		t.Errorf("Status(): %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("beside the socket: got %v, want nothing", entries)
	}
	if !s.Replaced() {
		t.Error("Replaced() of a stale socket: got false, want true")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := tryServe(path)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if next.Replaced() {
		t.Error("Replaced() after a Close: got true, want false")
	}
}

// Of daemons that find the same stale socket one gets it.
func TestStaleSocketIsReplacedOnce(t *testing.T) {
	path := stale(t)
	const daemons = 8
	type result struct {
		s   *control.Server
		err error
	}
	results := make(chan result, daemons)
	for range daemons {
		go func() {
			s, err := tryServe(path)
			results <- result{s, err}
		}()
	}
	won := 0
	for range daemons {
		r := <-results
		if _, ok := errors.AsType[*control.RunningError](r.err); r.err != nil && !ok {
			t.Errorf("Serve(): got %v, want that another runs", r.err)
		}
		if r.err == nil {
			won++
			defer r.s.Close()
		}
	}
	if won != 1 {
		t.Errorf("Serve() of %d daemons: %d got the socket, want 1", daemons, won)
	}
	if _, err := control.NewClient(path).Status(t.Context()); err != nil {
		t.Errorf("Status() of the one: %v", err)
	}
}

func TestUnusablePlace(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(dir, "missing", "sock"), filepath.Join(file, "sock")} {
		_, err := tryServe(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "the key control") {
			t.Errorf("Serve(%q): got %v, want an error with the path and the cure", path, err)
		}
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("a file at the socket's place: got %q, want it untouched", b)
	}
}

// The mode keeps others out; should it have been changed, the server does.
func TestForeignUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	_, path := serve(t, &fake{})
	for p, mode := range map[string]os.FileMode{filepath.Dir(path): 0o755, path: 0o666} {
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
	}
	type answer struct {
		code int
		body string
	}
	got := make(chan answer)
	go func() {
		// Only this thread becomes nobody, and ends with the goroutine.
		runtime.LockOSThread()
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 65534, ^uintptr(0)); errno != 0 {
			t.Errorf("setresuid: %v", errno)
		}
		code, body := raw(t, path, "POST /pause HTTP/1.1\r\nHost: x\r\n\r\n")
		got <- answer{code, body}
	}()
	if a := <-got; a.code != http.StatusForbidden || !strings.Contains(a.body, "user 65534 may not") {
		t.Errorf("POST /pause by another user: got %+v, want 403", a)
	}
}
