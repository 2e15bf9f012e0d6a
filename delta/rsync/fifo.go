package rsync

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// stall is how long rsync may do nothing before the files of its list are looked
// at once more.
const stall = 2 * time.Second

// errFifo is why an rsync was ended that waited for somebody to write to a FIFO.
var errFifo = errors.New("a FIFO has taken the place of a file that rsync was to read")

// finish finishes p. rsync opens what was a regular file when it made its list
// without another look (3.5.0), and what has become a FIFO since blocks it
// until it is taken for idle. In a push of single files it has to wait only a
// few seconds for that; what a comparison of a directory finds has no entry to
// look at.
func (b *batch) finish(p *process, m mode, list []byte) exit {
	var watch sync.WaitGroup
	watch.Go(func() { b.unblock(p) })
	defer watch.Wait()
	return p.finish(list, b.e.idle(m))
}

// unblock ends p when it does nothing and one of its files has become a FIFO.
// It returns when p has ended.
func (b *batch) unblock(p *process) {
	tick := time.NewTicker(stall)
	defer tick.Stop()
	for last := ""; ; {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		now := p.work()
		if now == last {
			if path, found := b.plan.Fifo(); found {
				p.cancel(fmt.Errorf("%w: %q", errFifo, path))
				return
			}
		}
		last = now
	}
}
