package rsync

import "inosyncd/delta/rsync/process"

// finish finishes a process of a push.
func (e *Engine) finish(p *process.Process, list []byte, m mode) process.Exit {
	e.running.Store(p)
	defer e.running.Store(nil)
	return p.Finish(list, e.idle(m))
}

// Overdue returns nil while the running push is within its timeouts: its
// rsync was not told to end, be it for doing nothing longer than Timeout, or
// was so a short time ago. It may be called at any time and does not block.
func (e *Engine) Overdue() error {
	if p := e.running.Load(); p != nil {
		return p.Overdue()
	}
	return nil
}
