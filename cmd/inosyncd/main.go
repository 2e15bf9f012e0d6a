// Command inosyncd watches directory trees with inotify and mirrors every change to
// several nodes with stock rsync.
//
// This package joins the stages: for each mirror a watcher feeds a debounce queue,
// the queue feeds a fanout, and the fanout's workers push through delta. The stages
// do not know each other.
//
// Commands that need no daemon are in the files of their names; control_*.go has the
// commands that talk to the daemon, and its answers. The daemon itself is in daemon.go
// and mirror.go; apply.go makes what runs equal to the configuration, at the start and
// on HUP.
//
// # Shutdown
//
// A signal ends the context of everything. Stages end in the order of the data flow,
// and the program exits when the last goroutine and the last rsync have ended.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/config"
	"inosyncd/internal/fault"
)

// Exit codes, as in the manual.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitConfig = 78  // EX_CONFIG of sysexits.h
	exitSignal = 128 // plus the number of the signal
)

func main() {
	forbidCoreDumps()
	os.Exit(fault.Looking(program)())
}

func program() int { return run(os.Args[1:], os.Stdout, os.Stderr) }

// run is the program but for the process around it.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := notifySignals(context.Background(), oneStop)
	defer stop()
	app := &app{stdout: stdout, stderr: stderr}
	cmd := app.command()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	sig, stopped := errors.AsType[signalError](context.Cause(ctx))
	if stopped && (err == nil || errors.Is(err, context.Canceled)) {
		return exitSignal + int(sig.Signal)
	}
	return report(stderr, err)
}

// forbidCoreDumps keeps passwords and tokens out of core files, also of programs
// that this one starts. systemd-coredump(8) obeys the limit; other programs that
// core_pattern names get it as %c: core(5). Lowering a limit is refused only by
// filters of system calls; the units that have one set the limit, too.
func forbidCoreDumps() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

// report prints err for a person, and turns it into an exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	if faults, ok := errors.AsType[config.Faults](err); ok {
		for _, f := range faults {
			fmt.Fprintln(stderr, f)
		}
		return exitConfig
	}
	if errors.Is(err, errReported) {
		return exitFailed
	}
	fmt.Fprintf(stderr, "inosyncd: error: %s\n", printable(err.Error()))
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintln(stderr, "inosyncd: hint: see inosyncd --help")
		return exitUsage
	}
	if code, ok := errors.AsType[childError](err); ok {
		return int(code)
	}
	return exitFailed
}

// errReported is returned by a command that has already reported its error.
var errReported = errors.New("failed")

// signalError is the cause of a context that ended because of a signal.
type signalError struct{ syscall.Signal }

func (e signalError) Error() string { return "received " + unix.SignalName(e.Signal) }

// oneStop is how long after a signal others count as the same: timeout(1) sends
// its signal to the program and then to the program's process group.
const oneStop = time.Second

// notifySignals returns a context that ends on the first TERM or INT. Another one
// ends the process at once, as by default, unless it comes within same.
func notifySignals(ctx context.Context, same time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ch := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(ch, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		select {
		case sig := <-ch:
			cancel(signalError{sig.(syscall.Signal)})
		case <-done:
			return
		}
		select {
		case <-time.After(same):
			signal.Stop(ch)
		case <-done:
		}
	}()
	return ctx, func() {
		close(done)
		signal.Stop(ch)
		cancel(nil)
	}
}
