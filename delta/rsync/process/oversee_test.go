package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
)

// TestOpensFifo tells one that waits for a FIFO's other end from one that waits
// for something else.
func TestOpensFifo(t *testing.T) {
	labtest.Need(t, "cat", "sleep")
	if files, _ := filepath.Glob("/proc/self/task/*/wchan"); !slices.ContainsFunc(files, func(file string) bool {
		at, _ := os.ReadFile(file)
		return len(at) > 1
	}) {
		t.Skip("needs a kernel that tells what a process waits for")
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for _, args := range [][]string{{"cat", fifo}, {"sleep", "1000"}} {
		program, _ := exec.LookPath(args[0])
		ctx, cancel := context.WithCancel(t.Context())
		p, err := Start(ctx, Spec{Program: program, Args: args[1:], Dir: dir, Attr: &syscall.SysProcAttr{Setpgid: true}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := args[0] == "cat"
		labtest.Eventually(t, func() error {
			at, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", p.cmd.Process.Pid))
			switch got := p.OpensFifo(); {
			case len(at) < 2:
				return errors.New("it has not gone to sleep")
			case got != want:
				return fmt.Errorf("OpensFifo() of %q, which sleeps in %s: got %v, want %v", args, at, got, want)
			}
			return nil
		})
		cancel()
		p.Finish(nil, 0)
	}
}
