package watcher

import (
	"slices"
	"sync"
	"sync/atomic"
)

// queueLimit bounds what waits in a queue, in bytes: about a million and a
// half events with names of common length.
const queueLimit = 64 << 20

// queue holds the bytes that were read from the kernel until the model takes
// them. One goroutine puts, another takes; neither waits for the other. What
// does not fit is dropped and the queue says so.
type queue struct {
	ready chan struct{} // holds a token while there is something to take
	limit int
	dull  atomic.Bool // what was taken last came to nothing; see pump

	mu     sync.Mutex
	chunks [][]byte // guarded by mu, like what follows
	size   int      // bytes in chunks
	lost   bool     // something was dropped since the last take
	err    error    // why nothing more will come
}

func newQueue(limit int) *queue {
	return &queue{ready: make(chan struct{}, 1), limit: limit}
}

// put adds a copy of b.
func (q *queue) put(b []byte) {
	q.mu.Lock()
	if q.size+len(b) > q.limit {
		q.lost = true
	} else {
		q.chunks = append(q.chunks, slices.Clone(b))
		q.size += len(b)
	}
	q.mu.Unlock()
	q.signal()
}

// end says that err is why nothing more is put.
func (q *queue) end(err error) {
	q.mu.Lock()
	q.err = err
	q.mu.Unlock()
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default: // a token is there already
	}
}

// take empties the queue. lost reports that something was dropped after the
// last of chunks, err that nothing more will come.
func (q *queue) take() (chunks [][]byte, lost bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	chunks, lost = q.chunks, q.lost
	q.chunks, q.size, q.lost = nil, 0, false
	return chunks, lost, q.err
}
