package process

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// oversight is how often a run is looked at, and how long rsync may do nothing
// before somebody is asked whether it is stuck.
const oversight = 2 * time.Second

// ErrFlood is why an rsync was ended whose node had it print messages and do
// nothing.
var ErrFlood = errors.New("the node sends messages without end")

// Oversee returns when p has ended, or has been told to: for printing messages
// and nothing else, or for the error of stuck. That is asked again and again while
// p neither reads nor writes, and may block for a moment.
func (p *Process) Oversee(stuck func() error) {
	tick := time.NewTicker(oversight)
	defer tick.Stop()
	for last := (work{}); ; {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		if p.out.flooded() || p.err.flooded() {
			p.cancel(ErrFlood)
			return
		}
		now, _ := p.work()
		if now == last {
			if err := stuck(); err != nil {
				p.cancel(err)
				return
			}
		}
		last = now
	}
}

// OpensFifo reports whether rsync waits for somebody to open the other end of a
// FIFO. proc_pid_wchan(5) has the function of the kernel that it sleeps in
// (fs/pipe.c of Linux 6.18); no name where that may not be known, as in a sandbox.
func (p *Process) OpensFifo() bool {
	at, err := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", p.cmd.Process.Pid))
	return err == nil && string(at) == "wait_for_partner"
}
