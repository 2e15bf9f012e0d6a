package process

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrIdle is why an rsync was ended that did nothing for too long.
var ErrIdle = errors.New("rsync neither read nor wrote anything for too long")

// signs is more than rsync writes in signs of life while it is idle: 4 bytes
// within each half of --timeout, which is whole seconds (io.c of 3.5.0).
const signs = 512

// work is what a process has read and written since it began, in bytes.
type work struct{ read, written int64 }

// work reads that from proc_pid_io(5); false where the kernel does not tell.
func (p *Process) work() (w work, ok bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", p.cmd.Process.Pid))
	if err != nil {
		return w, false
	}
	n, err := fmt.Sscanf(string(data), "rchar: %d\nwchar: %d\n", &w.read, &w.written)
	return w, err == nil && n == 2
}

// watch ends the process when it does nothing for longer than idle.
//
// The two ends of rsync send each other signs of life within every timeout, so a
// healthy one reads something. That it writes is no sign: on a line that is
// stalled the sender's own signs of life go into the buffers of the kernel for
// hours, and keep rsync itself from finding that its --timeout is over (3.5.0).
func (p *Process) watch(idle time.Duration) {
	tick := time.NewTicker(idle / 4)
	defer tick.Stop()
	last, _ := p.work()
	since := time.Now()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		now, ok := p.work()
		if !ok || now.read != last.read || now.written > last.written+signs {
			last, since = now, time.Now()
		} else if time.Since(since) >= idle {
			p.cancel(ErrIdle)
			return
		}
	}
}
