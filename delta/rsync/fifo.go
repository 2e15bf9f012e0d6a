package rsync

import (
	"errors"
	"fmt"
	"sync"

	"inosyncd/delta/rsync/process"
)

// errFifo is why an rsync was ended that waited for somebody to write to a FIFO.
var errFifo = errors.New("a FIFO has taken the place of a file that rsync was to read")

// finish finishes p and ends it early where waiting is of no use.
func (b *batch) finish(p *process.Process, m mode, list []byte) process.Exit {
	var watch sync.WaitGroup
	watch.Go(func() { p.Oversee(func() error { return b.stuck(p) }) })
	defer watch.Wait()
	return b.e.finish(p, list, m)
}

// stuck returns why p, which does nothing, never will.
//
// rsync opens what was a regular file when it made its list without another
// look (3.5.0), and what has become a FIFO since blocks it until it is taken for
// idle. The entries of the plan tell which one it is. What a comparison of a
// directory comes by has no entry: there the kernel tells, if it does.
func (b *batch) stuck(p *process.Process) error {
	if path, found := b.plan.Fifo(); found {
		return fmt.Errorf("%w: %q", errFifo, path)
	}
	if p.OpensFifo() {
		return errFifo
	}
	return nil
}
