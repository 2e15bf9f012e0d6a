package lab

import (
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// stopLimit is how long a process may take to end after SIGTERM.
const stopLimit = time.Minute

// process is a running child and everything that it starts.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child has ended and been waited for
}

// start starts cmd as the leader of a process group of its own, so that a
// signal from a terminal is for the owner alone. The kernel kills the child
// when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG); the Go
// runtime keeps its threads, so that is when the owner ends.
func start(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A grandchild may keep the pipes open that the child has left.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
	}()
	return p, nil
}

// pid is the child's process number.
func (p *process) pid() int { return p.cmd.Process.Pid }

// ended reports whether the child has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wait waits for the child to end and returns its exit code: that of the shell,
// 128 + n, when it was ended by signal n.
func (p *process) wait(limit time.Duration) (int, error) {
	if !p.ended() {
		select {
		case <-p.done:
		case <-time.After(limit):
			return 0, fmt.Errorf("%s has not ended after %v", p.cmd.Path, limit)
		}
	}
	ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return p.cmd.ProcessState.ExitCode(), nil
}

// stop ends the child and all that it has started: by SIGTERM for the child,
// and by SIGKILL for what is then still there.
func (p *process) stop() {
	below := descendants(p.pid())
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if _, err := p.wait(stopLimit); err != nil {
		p.kill()
		return
	}
	kill(below)
}

// kill ends the child and all that it has started, at once.
func (p *process) kill() {
	var below []member
	if !p.ended() {
		below = freeze(p.pid())
	}
	kill(below)
	_ = p.cmd.Process.Kill()
	<-p.done
}
