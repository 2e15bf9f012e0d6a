package watcher

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// Sync implements [Syncer].
func (w *inotify) Sync(ctx context.Context) error {
	answer := make(chan error, 1)
	asks := w.asks
	for {
		select {
		case asks <- answer:
			asks = nil // asked: wait
		case err := <-answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-w.quit:
			return ErrEnded
		case <-w.done:
			return ErrEnded
		}
	}
}

// marks are places in the stream of events that somebody waits for.
type marks struct {
	asks    chan chan<- error
	coming  map[int32]chan<- error // by the watch whose end marks the place
	reached []chan<- error
}

func newMarks() marks {
	return marks{asks: make(chan chan<- error), coming: map[int32]chan<- error{}}
}

// mark puts a mark behind everything that the kernel has to tell.
func (m *model) mark(answer chan<- error) {
	wd, err := m.markQueue()
	if err != nil {
		answer <- fmt.Errorf("marking the queue of inotify: %w", err)
		return
	}
	m.marks.coming[wd] = answer
}

// markQueue puts an event into the kernel's queue without touching the source:
// it gives up a watch that it has just set on a pipe of its own, and the
// kernel confirms that with IN_IGNORED (inotify(7)), in order.
func (m *model) markQueue() (int32, error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	defer func() { _, _ = unix.Close(pipe[0]), unix.Close(pipe[1]) }()
	wd, err := m.watch(pipe[0], unix.IN_DELETE_SELF)
	if err != nil {
		return 0, err
	}
	_, err = unix.InotifyRmWatch(m.fd, uint32(wd))
	return wd, err
}

// reach takes note of an event of a watch that no directory has.
func (k *marks) reach(wd int32) {
	if answer, ok := k.coming[wd]; ok {
		delete(k.coming, wd)
		k.reached = append(k.reached, answer)
	}
}

// lose is for an overflow, which may have swallowed marks. All of them were
// put before it became known, so the resync that it leads to, which sees what
// is there later still, is as good.
func (k *marks) lose() {
	for wd := range k.coming {
		k.reach(wd)
	}
}

// answer tells those whose mark was reached.
func (k *marks) answer() {
	for _, answer := range k.reached {
		answer <- nil
	}
	k.reached = nil
}
