package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// peer is the process at the other end of c, as the kernel noted it when the
// connection was made (SO_PEERCRED, unix(7)).
func peer(c net.Conn) (*unix.Ucred, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("asking who is at the other end: %T is no socket", c)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); e != nil {
		return nil, e
	}
	return cred, err
}

// mayAsk says why the process at the other end of c is not answered.
func mayAsk(c net.Conn) error {
	cred, err := peer(c)
	if err != nil {
		return err
	}
	if cred.Uid != 0 && int(cred.Uid) != os.Geteuid() {
		return fmt.Errorf("user %d may not talk to the daemon, only root and the user who runs it", cred.Uid)
	}
	return nil
}

type verdictKey struct{}

// judge notes with a new connection whether its requests are answered.
func judge(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, verdictKey{}, mayAsk(c))
}

// verdict is what judge has noted: nil for a connection that may ask.
func verdict(ctx context.Context) error {
	err, _ := ctx.Value(verdictKey{}).(error)
	return err
}
