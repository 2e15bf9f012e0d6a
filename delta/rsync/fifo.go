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
	watch.Go(func() { p.Oversee(b.stuck) })
	defer watch.Wait()
	return b.e.finish(p, list, m)
}

// stuck returns why an rsync that does nothing never will.
//
// rsync opens what was a regular file when it made its list without another
// look (3.5.0), and what has become a FIFO since blocks it until it is taken for
// idle. In a push of single files that takes only seconds to be seen; what a
// comparison of a directory comes by has no entry to look at.
func (b *batch) stuck() error {
	if path, found := b.plan.Fifo(); found {
		return fmt.Errorf("%w: %q", errFifo, path)
	}
	return nil
}
