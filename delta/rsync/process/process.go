// Package process runs an rsync as a child process, and tells how it ended.
//
// It gets an argument list, a directory as an open descriptor, next to nothing of
// the environment, and what it is to read as bytes: there is no shell in any of
// it. What it prints is split into lines within bounds, whatever that is. Why it is
// run, and what its lines and its end mean, others know.
//
// # Ordering
//
// Starting an rsync and giving it its list are two steps, with any time between
// them. Its lines are handed on in their order and by one goroutine, all of them
// before Finish returns.
//
// # Blocking and shutdown
//
// Start does not wait for rsync, Finish blocks until it has ended. When the context
// of Start ends, or that of Adopt, rsync and its children are told to end, and
// made to 5 seconds later; so they are when nothing has gone on for too long.
// Each process that was started has to be finished, and then no goroutine of it is
// left. Should the daemon be killed, the kernel kills rsync.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"inosyncd/internal/fault"
)

// grace is how long rsync has to end after SIGTERM. In it, rsync puts a partial
// file aside and removes its temporary ones.
const grace = 5 * time.Second

// Process is an rsync that has been started and waits for its list on standard
// input. Starting one and using it are two steps, because rsync connects, logs
// in and negotiates before it reads the list.
type Process struct {
	cmd    *exec.Cmd
	ctx    context.Context         // ends the process
	cancel context.CancelCauseFunc // releases ctx
	stdin  io.WriteCloser
	held   feed
	out    lines
	err    lines
	done   chan struct{}  // closed when the process has ended
	keeper sync.WaitGroup // see launch

	told atomic.Pointer[time.Time] // when it was told to end; nil: it was not
}

// Spec is what a process is started with.
type Spec struct {
	Program string // rsync; "" is the one in PATH
	Args    []string
	Dir     *os.File // its working directory
	Env     []string
	Attr    *syscall.SysProcAttr
	Held    []byte // what it finds at HeldPath
}

// Exit is how a process ended.
type Exit struct {
	Code   int      // exit status; -1 when it was killed
	Cause  error    // why it was ended from here; nil when it ended by itself
	Notes  []string // what it printed that was no item
	Excess bool     // it printed more than was kept
}

// Start starts rsync. item is called for every line of standard output, by one
// goroutine, and says whether the line was one of its own; others are kept as
// notes. The process ends when ctx does, and has to be finished in any case.
func Start(ctx context.Context, s Spec, item func(line string) bool) (*Process, error) {
	s.Program = programOf(s.Program)
	if err := fault.Fail("rsync: start"); err != nil {
		return nil, fmt.Errorf("starting %q: %w", s.Program, err)
	}
	p := &Process{done: make(chan struct{})}
	p.out.bind(item)
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.cmd = exec.CommandContext(p.ctx, s.Program, s.Args...)
	p.cmd.Env, p.cmd.SysProcAttr = s.Env, s.Attr
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	// The directory itself, whatever its path leads to by now, see proc(5).
	p.cmd.Dir = fmt.Sprintf("/proc/self/fd/%d", s.Dir.Fd())
	p.cmd.Cancel = p.terminate
	p.cmd.WaitDelay = grace + time.Second
	err := p.held.open(p.cmd, s.Held)
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.launch()
	}
	fault.Point("rsync: started")
	p.held.started()
	if err != nil {
		p.held.close()
		p.cancel(nil)
		return nil, fmt.Errorf("starting %q: %w", s.Program, err)
	}
	return p, nil
}

// launch starts the program and has the kernel kill it should the daemon be
// killed: left alone, it could wait for its node without end, and work on beside
// that of the next daemon. It has no time for more than that signal, and the
// sending end nothing to put away.
//
// The kernel takes the end of the thread that has started it for that of the
// daemon (PR_SET_PDEATHSIG in prctl(2)), so a goroutine keeps that thread until
// the process has ended: one for each of max_parallel and max_armed.
func (p *Process) launch() error {
	p.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	p.keeper.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			<-p.done
		}
	})
	return <-started
}

// Adopt gives the process to a run that was not known when it was started: item
// is called for the lines that come from now on, and the process ends when ctx
// does, too, until release is called.
func (p *Process) Adopt(ctx context.Context, item func(line string) bool) (release func() bool) {
	p.out.bind(item)
	return context.AfterFunc(ctx, func() { p.cancel(context.Cause(ctx)) })
}

// terminate asks the process and its children to end, and makes them when they
// have not after grace.
func (p *Process) terminate() error {
	now := time.Now()
	p.told.Store(&now)
	group := -p.cmd.Process.Pid // the session's leader leads the group too
	time.AfterFunc(grace, func() {
		select {
		case <-p.done:
		default:
			_ = syscall.Kill(group, syscall.SIGKILL)
		}
	})
	return syscall.Kill(group, syscall.SIGTERM)
}

// Finish writes list to the process and waits for its end. A process that does
// nothing for longer than idle is ended; 0 is no limit. It is called once.
func (p *Process) Finish(list []byte, idle time.Duration) Exit {
	var helpers sync.WaitGroup
	helpers.Go(func() {
		// An error means that rsync has ended, and it says why itself.
		_, _ = p.stdin.Write(list)
		fault.Point("rsync: list written")
		_ = p.stdin.Close()
		fault.Point("rsync: list closed")
	})
	helpers.Go(p.held.write)
	if idle > 0 {
		helpers.Go(func() { p.watch(idle) })
	}
	err := p.cmd.Wait()
	fault.Point("rsync: ended")
	close(p.done)
	p.keeper.Wait()
	p.held.close()
	helpers.Wait()
	p.out.end()
	p.err.end()
	e := Exit{
		Code:   p.cmd.ProcessState.ExitCode(),
		Notes:  slices.Concat(p.err.notes, p.out.notes),
		Excess: p.err.excess || p.out.excess,
	}
	if e.Code != 0 && p.ctx.Err() != nil {
		e.Cause = context.Cause(p.ctx)
	} else if e.Code < 0 && err != nil {
		e.Notes = append(e.Notes, err.Error()) // "signal: killed"
	}
	p.cancel(nil)
	return e
}
