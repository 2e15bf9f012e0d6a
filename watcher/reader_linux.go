package watcher

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/internal/fault"
)

// dullPause is how long events are left to gather while none is of interest.
const dullPause = 5 * time.Millisecond

// reader reads an inotify descriptor. It waits in the runtime's poller: a
// goroutine in poll(2) would keep a processor of the runtime, for whose return
// the runtime looks some thousand times a second while events come (sysmon,
// go1.26). Between the two is an epoll(7) instance with the descriptor as
// EPOLLONESHOT, for else the kernel would wake the poller for every single
// event, also while the reader lets them gather.
type reader struct {
	fd    int      // inotify, does not block
	epoll *os.File // closing it ends the waiting
	conn  syscall.RawConn
	done  chan struct{} // closed when pump has ended
}

func newReader(fd int) (*reader, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	_ = unix.SetNonblock(epoll, true) // so that it comes to the runtime's poller; it has no other meaning
	r := &reader{fd: fd, epoll: os.NewFile(uintptr(epoll), "epoll"), done: make(chan struct{})}
	if r.conn, err = r.epoll.SyscallConn(); err == nil {
		err = r.epoll.SetReadDeadline(time.Time{}) // fails where the poller does not know it
	}
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{})
	}
	if err != nil {
		_ = r.epoll.Close()
		return nil, fmt.Errorf("waiting for events: %w", err)
	}
	return r, nil
}

// close ends pump, which has been started, waits for it and closes the
// descriptors, which nobody else uses any more.
func (r *reader) close() {
	_ = r.epoll.Close()
	<-r.done
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
	for {
		if open, err := r.wait(); err != nil || !open {
			return 0, err
		}
		n, err := unix.Read(r.fd, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		return n, err
	}
}

// wait returns when there are events, and false after close.
func (r *reader) wait() (open bool, failed error) {
	armed := false
	err := r.conn.Read(func(epoll uintptr) bool {
		if !armed {
			armed = true
			once := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}
			failed = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_MOD, r.fd, &once)
		}
		var events [1]unix.EpollEvent
		n, err := unix.EpollWait(int(epoll), events[:], 0)
		if err != nil && !errors.Is(err, unix.EINTR) {
			failed = err
		}
		return n > 0 || failed != nil
	})
	return err == nil, failed // nothing but close ends conn.Read without the function's consent
}
