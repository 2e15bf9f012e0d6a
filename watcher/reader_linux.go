package watcher

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/fault"
)

// dullPause is how long events are left to gather while none is of interest.
const dullPause = 5 * time.Millisecond

// reader reads an inotify descriptor. It waits in poll(2) and not in the
// runtime's poller, which the kernel would wake for every single event, also
// while the reader lets them gather.
type reader struct {
	fd   int           // inotify, does not block
	wake int           // eventfd(2) that ends the waiting
	done chan struct{} // closed when pump has ended
}

func newReader(fd int) (*reader, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an eventfd: %w", err)
	}
	return &reader{fd, wake, make(chan struct{})}, nil
}

// close ends pump, which has been started, waits for it and closes the
// descriptors, which nobody else uses any more.
func (r *reader) close() {
	_, _ = unix.Write(r.wake, []byte{0, 0, 0, 0, 0, 0, 0, 1}) // not 0, in either byte order
	<-r.done
	_ = unix.Close(r.wake)
	_ = unix.Close(r.fd)
}

// pump moves what the kernel has to say into q until close is called. It never
// waits for anything else, so that the kernel's queue stays short.
//
// While nothing comes that is not excluded it reads once in dullPause: waking
// up costs more than a hundred events do. What is of interest and comes in
// between is late by no more than that, and only the first time.
func (r *reader) pump(q *queue) {
	defer close(r.done)
	buf := make([]byte, 64<<10)
	for {
		if q.dull.Load() {
			time.Sleep(dullPause)
		}
		n, err := r.read(buf)
		if err == nil {
			err = fault.Fail("watcher: read")
		}
		if err != nil {
			q.end(fmt.Errorf("reading events: %w", err))
			return
		}
		if n == 0 {
			return
		}
		q.put(buf[:n])
	}
}

// read waits for events and reads them; 0 is the end.
func (r *reader) read(buf []byte) (int, error) {
	fds := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}, {Fd: int32(r.wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, err
		case fds[1].Revents != 0:
			return 0, nil
		}
		n, err := unix.Read(r.fd, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		return n, err
	}
}
