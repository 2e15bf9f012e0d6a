package lab

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// parcel is what was read at once, and when it is due at the other end.
type parcel struct {
	bytes []byte
	due   time.Time
}

// carry moves bytes one way until from ends, and passes on that end. Reading
// and writing are apart, so that a latency does not become a rate; what is on
// the way is bounded by the channel.
func (p *Proxy) carry(from, to net.Conn, limit *rate.Limiter) {
	line := make(chan parcel, 256)
	var delivery sync.WaitGroup
	delivery.Go(func() {
		if !p.deliver(line, to, limit) {
			reset(from)
			reset(to)
		}
	})
	defer delivery.Wait()
	defer close(line)
	for {
		buf := make([]byte, chunk)
		n, err := from.Read(buf)
		if n > 0 {
			select {
			case line <- parcel{buf[:n], time.Now().Add(p.latency)}:
			case <-p.ctx.Done():
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) { // a reset, or Cut: no end to pass on
				reset(to)
			}
			return
		}
	}
}

// deliver writes each parcel when it is due, the rate allows it and the line is
// not stalled, and passes on the end. It reports whether all has arrived.
func (p *Proxy) deliver(line <-chan parcel, to net.Conn, limit *rate.Limiter) bool {
	ok := true
	for parcel := range line { // to the end, so that carry never blocks
		if !ok {
			continue
		}
		if ok = p.wait(parcel, limit) == nil; ok {
			_, err := to.Write(parcel.bytes)
			ok = err == nil
		}
	}
	if t, is := to.(*net.TCPConn); is && ok {
		_ = t.CloseWrite()
	}
	return ok
}

func (p *Proxy) wait(parcel parcel, limit *rate.Limiter) error {
	select {
	case <-time.After(time.Until(parcel.due)):
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
	if err := limit.WaitN(p.ctx, len(parcel.bytes)); err != nil {
		return err
	}
	return p.pass()
}
