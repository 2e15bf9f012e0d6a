package process

import (
	"fmt"
	"time"
)

// endLimit is how long after it was told to end an rsync may still be there.
// It is killed after grace, so this is when the kernel does not let it go.
const endLimit = time.Minute

// Overdue returns nil unless the process was told to end and should have. It may
// be called at any time and does not block.
func (p *Process) Overdue() error {
	told := p.told.Load()
	if told == nil || time.Since(*told) <= endLimit {
		return nil
	}
	return fmt.Errorf("rsync (process %d) was told to end and has not for %v",
		p.cmd.Process.Pid, time.Since(*told).Round(time.Second))
}
