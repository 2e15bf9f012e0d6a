package watcher

import "testing"

// The bound is of all that waits together, and what was taken does not count.
func TestQueueIsBounded(t *testing.T) {
	q := newQueue(10)
	for round := range 2 {
		for range 3 {
			q.put([]byte("four"))
		}
		chunks, lost, err := q.take()
		if len(chunks) != 2 || !lost || err != nil {
			t.Errorf("take() %d of three that do not fit: got %q, %v, %v; want two, and that one is lost", round, chunks, lost, err)
		}
		q.put([]byte("ten bytes."))
		if chunks, lost, _ := q.take(); len(chunks) != 1 || lost {
			t.Errorf("take() %d of one that fits: got %q, %v; want it, and none lost", round, chunks, lost)
		}
	}
}
