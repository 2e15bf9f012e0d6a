package debounce

import (
	"context"
	"sync"
	"time"

	"inosyncd/internal/alive"
	"inosyncd/internal/change"
	"inosyncd/internal/fault"
)

// Loop is a Queue with a goroutine that hands out what is due. Its methods may
// be called from any goroutine.
//
// What has left the Loop has already arrived at the nodes. So to see everything
// that is pending, ask the Loop first and then the nodes.
type Loop struct {
	out func(*change.Set)

	handing sync.Mutex // held from taking a set to the end of out; before mu
	mu      sync.Mutex // guards queue
	queue   *Queue

	wake chan struct{} // capacity 1: the deadline has come nearer
	asks alive.Asks    // see Alive
	quit chan struct{} // closed by Close
	once sync.Once     // guards the closing of quit
	done sync.WaitGroup
}

// Start starts a loop that hands due sets to out, one at a time. A set is out's
// to keep. out must not block, and of the Loop's methods it may call only Add
// and AddAll.
func Start(o Options, out func(*change.Set)) *Loop {
	l := &Loop{
		out:   out,
		queue: NewQueue(o),
		wake:  make(chan struct{}, 1),
		asks:  alive.New(),
		quit:  make(chan struct{}),
	}
	l.done.Go(l.run)
	return l
}

// Add records an event that is seen now. It does not block.
func (l *Loop) Add(ev change.Event) {
	l.mu.Lock()
	was, had := l.queue.Deadline()
	l.queue.Add(ev, time.Now())
	fault.Point("debounce: added")
	at, has := l.queue.Deadline()
	l.mu.Unlock()

	if has && (!had || at.Before(was)) {
		select {
		case l.wake <- struct{}{}:
		default: // it will look at the deadline anyway
		}
	}
}

// AddAll makes everything pending: at the start, on schedule.
func (l *Loop) AddAll() { l.Add(change.Event{AllBelow: true}) }

// Flush hands out what is pending now, whatever the delay. out has returned
// when it returns.
func (l *Loop) Flush() { l.hand((*Queue).Flush, l.out) }

// Resync hands out the set for a comparison of everything except held files, in
// order with the other sets: no older one comes after it. out may be another
// function than the Loop's own, and has returned when Resync returns.
func (l *Loop) Resync(out func(*change.Set)) { l.hand((*Queue).Full, out) }

// Len is the number of pending entries, without the held ones.
func (l *Loop) Len() int { return look(l, (*Queue).Len) }

// Held is the number of files that become pending once they are closed.
func (l *Loop) Held() int { return look(l, (*Queue).Held) }

// Since is when the oldest change that is pending or held was noticed; zero
// when there is none.
func (l *Loop) Since() time.Time { return look(l, (*Queue).Since) }

// Covers reports whether path is pending or held.
func (l *Loop) Covers(path string) bool {
	return look(l, func(q *Queue) bool { return q.Covers(path) })
}

// Alive returns nil when the loop answers, or has ended, and an error when ctx is
// done before that: then the loop hangs, or out does.
func (l *Loop) Alive(ctx context.Context) error { return l.asks.Ask(ctx, l.quit) }

// Close ends the loop and waits for it. Afterwards only Flush and Resync hand out
// sets.
func (l *Loop) Close() {
	l.once.Do(func() { close(l.quit) })
	l.done.Wait()
}

func (l *Loop) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.wake:
		case <-timer.C:
		case <-l.asks:
			continue
		case <-l.quit:
			return
		}
		l.hand((*Queue).Take, l.out)
		at, ok := l.deadline()
		if ok {
			timer.Reset(time.Until(at))
		} else {
			timer.Stop()
		}
	}
}

// hand passes what take returns to out. The two are one step, so that sets arrive
// in the order in which they were taken.
func (l *Loop) hand(take func(*Queue, time.Time) *change.Set, out func(*change.Set)) {
	l.handing.Lock()
	defer l.handing.Unlock()
	l.mu.Lock()
	s := take(l.queue, time.Now())
	l.mu.Unlock()
	if s != nil {
		fault.Point("debounce: taken")
		out(s)
		fault.Point("debounce: handed on")
	}
}

func (l *Loop) deadline() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.Deadline()
}

// look waits for a set that is just being handed out to arrive.
func look[T any](l *Loop, f func(*Queue) T) T {
	l.handing.Lock()
	defer l.handing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	return f(l.queue)
}
