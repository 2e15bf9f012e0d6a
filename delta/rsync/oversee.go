package rsync

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// oversight is how often a run is looked at, and how long rsync may do nothing
// before the files of its list are looked at once more.
const oversight = 2 * time.Second

var (
	// errFifo is why an rsync was ended that waited for somebody to write to
	// a FIFO.
	errFifo = errors.New("a FIFO has taken the place of a file that rsync was to read")

	// errFlood is why an rsync was ended whose node had it print messages and
	// do nothing.
	errFlood = errors.New("the node sends messages without end")
)

// finish finishes p and ends it early where waiting is of no use.
func (b *batch) finish(p *process, m mode, list []byte) exit {
	var watch sync.WaitGroup
	watch.Go(func() { b.oversee(p) })
	defer watch.Wait()
	return b.e.finish(p, list, m)
}

// oversee returns when p has ended, or has been told to.
//
// rsync opens what was a regular file when it made its list without another
// look (3.5.0), and what has become a FIFO since blocks it until it is taken for
// idle. In a push of single files that takes only seconds to be seen; what a
// comparison of a directory comes by has no entry to look at.
func (b *batch) oversee(p *process) {
	tick := time.NewTicker(oversight)
	defer tick.Stop()
	for last := ""; ; {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		if p.out.flooded() || p.err.flooded() {
			p.cancel(errFlood)
			return
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
