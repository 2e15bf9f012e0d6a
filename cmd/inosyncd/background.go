package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Go program cannot fork, so -d starts the program once more, in a session
// of its own, and waits at a pipe until the second process says that it is
// watching, or ends. The second process knows itself by this variable, which
// holds the number of its end of the pipe.
const readyFD = "_INOSYNCD_READY_FD"

// childError is the exit code of a background process that ended before it was
// watching. It has already said why.
type childError int

func (e childError) Error() string { return fmt.Sprintf("the daemon ended with code %d", int(e)) }

// background starts the program in the background and returns when it is
// watching, or with its error.
func (a *app) background(args []string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting in the background: %w", err)
	}
	defer r.Close()
	defer w.Close()
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("starting in the background: %w", err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), readyFD+"=3")
	cmd.ExtraFiles = []*os.File{w}
	cmd.Stderr = os.Stderr // until it is watching: for what keeps it from that
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting in the background: %w", err)
	}
	_ = w.Close()
	var code [1]byte
	if _, err := io.ReadFull(r, code[:]); err == nil && code[0] == exitOK {
		return cmd.Process.Release()
	}
	_ = cmd.Wait()
	return childError(max(1, cmd.ProcessState.ExitCode()))
}

// notifyParent tells the process that waits in background, if there is one,
// that the daemon is watching, and lets go of its standard error.
func notifyParent() error {
	v := os.Getenv(readyFD)
	if v == "" {
		return nil
	}
	fd, err := strconv.Atoi(v)
	if err != nil {
		return fmt.Errorf("reading $%s: %w", readyFD, err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for _, std := range []int{0, 1, 2} {
		if err := unix.Dup2(int(null.Fd()), std); err != nil {
			return fmt.Errorf("leaving the terminal: %w", err)
		}
	}
	ready := os.NewFile(uintptr(fd), "ready")
	_, err = ready.Write([]byte{exitOK})
	return errors.Join(err, ready.Close(), os.Unsetenv(readyFD))
}
