package rsync

import (
	"context"
	"sync"
	"time"

	"inosyncd/delta/rsync/process"
)

// rsync connects, logs in, starts its other end and negotiates before it reads
// its list. So a node that was active lately has its next rsync started and
// waiting: a push then writes the list, and the change is on the node some 2 ms
// later. Such a process is armed. One that is not used is given an empty list,
// upon which rsync ends well.

const (
	// armedFor is how long a process stays armed before it is replaced. A
	// server that drops silent connections waits longer than that.
	armedFor = 20 * time.Second

	// activeFor is how long after its last push a node is kept armed.
	activeFor = time.Minute

	// disarmIn is how long a process that is given an empty list has to end.
	disarmIn = 5 * time.Second
)

// armourer keeps a process armed for an engine. Its goroutine starts processes
// and ends those that are not used; what is in ready belongs to whoever takes
// it out.
type armourer struct {
	e     *Engine
	slots chan struct{}         // shared by all engines: a token for each that is armed
	ready chan *process.Process // capacity 1

	life, rest time.Duration // armedFor, activeFor

	well chan bool     // capacity 1: how the last push went
	quit chan struct{} // closed by close
	done sync.WaitGroup

	starting, closing sync.Once // guard run and quit
}

func newArmourer(e *Engine, slots chan struct{}) *armourer {
	return &armourer{
		e: e, slots: slots, life: armedFor, rest: activeFor,
		ready: make(chan *process.Process, 1),
		well:  make(chan bool, 1),
		quit:  make(chan struct{}),
	}
}

// arms is what an armed process will do, as its arguments are fixed when it is
// started: send the files of a list, the commonest push.
func (e *Engine) arms() mode {
	if e.o.Delete && e.o.MaxDelete > 0 {
		return mode{delete: true, limited: true, limit: e.o.MaxDelete}
	}
	return mode{delete: e.o.Delete}
}

// take returns an armed process that can do m, or nil. The caller finishes it.
func (a *armourer) take(m mode) *process.Process {
	if a == nil || !m.same(a.e.arms()) {
		return nil
	}
	select {
	case p := <-a.ready:
		return p
	default:
		return nil
	}
}

// report says how a push went: after a good one the node is armed, after any
// other, or to let the node rest, it is not. Only Push and Rest call it.
func (a *armourer) report(well bool) {
	if a == nil {
		return
	}
	a.starting.Do(func() { a.done.Go(a.run) })
	select {
	case <-a.well: // not looked at yet, and now out of date
	default:
	}
	a.well <- well
}

// close disarms the node and waits for that. No report comes afterwards.
func (a *armourer) close() {
	if a == nil {
		return
	}
	a.closing.Do(func() { close(a.quit) })
	a.done.Wait()
}

func (a *armourer) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timer := time.NewTimer(a.life)
	defer timer.Stop()
	var last time.Time // the last push
	active := false    // it went well, and not too long ago
	held := false      // a slot
	for {
		select {
		case active = <-a.well:
			last = time.Now()
		case <-timer.C:
			a.disarm()
			active = active && time.Since(last) < a.rest
		case <-a.quit:
			active = false
		}
		if active {
			held = held || a.acquire()
			if held && a.arm(ctx) {
				timer.Reset(a.life)
			}
			continue
		}
		a.disarm()
		if held {
			<-a.slots
			held = false
		}
		select {
		case <-a.quit:
			return
		default:
		}
	}
}

func (a *armourer) acquire() bool {
	select {
	case a.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// arm starts a process where none is armed. What keeps it from that is for the
// next push to find out and to report. It reports whether one was started.
func (a *armourer) arm(ctx context.Context) bool {
	if len(a.ready) > 0 {
		return false // nobody else puts one there
	}
	dir, err := a.e.o.Source.Open()
	if err != nil {
		return false
	}
	defer dir.Close()
	s, err := a.e.prepare(a.e.arms())
	if err != nil {
		return false
	}
	s.Dir = dir
	p, err := process.Start(ctx, s, nil)
	if err != nil {
		return false
	}
	a.ready <- p
	return true
}

// disarm ends the armed process, if there is one.
func (a *armourer) disarm() {
	select {
	case p := <-a.ready:
		p.Finish(nil, disarmIn)
	default:
	}
}
