package rsync

import (
	"fmt"
	"time"
)

// endLimit is how long after it was told to end an rsync may still be there.
// It is killed after grace, so this is when the kernel does not let it go.
const endLimit = time.Minute

// finish finishes a process of a push.
func (e *Engine) finish(p *process, list []byte, m mode) exit {
	e.running.Store(p)
	defer e.running.Store(nil)
	return p.finish(list, e.idle(m))
}

// Overdue returns nil while the running push is within its timeouts: its
// rsync was not told to end, be it for doing nothing longer than Timeout, or
// was so a short time ago. It may be called at any time and does not block.
func (e *Engine) Overdue() error {
	p := e.running.Load()
	if p == nil {
		return nil
	}
	told := p.told.Load()
	if told == nil || time.Since(*told) <= endLimit {
		return nil
	}
	return fmt.Errorf("rsync (process %d) was told to end and has not for %v",
		p.cmd.Process.Pid, time.Since(*told).Round(time.Second))
}
