package web

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// mayOrder returns why the one who asks gets no buttons. Who came in
// with the token does.
func (s *Server) mayOrder(r *http.Request) error {
	if entered(r) != nil {
		return nil
	}
	if !s.local {
		return errors.New("read-only: this address can be reached from other machines, and asks for no token")
	}
	uid, err := peerUser(r)
	if err != nil {
		return fmt.Errorf("read-only: %w", err)
	}
	if uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("read-only: this is a connection of user %d, and only root and the user who runs inosyncd give orders", uid)
	}
	return nil
}

var errNobody = errors.New("the user of this connection is not known")

// peerUser is the user of the process at the other end of a connection over
// the loopback interface. TCP has no SO_PEERCRED, but the kernel lists the
// sockets of both ends with their owners in /proc/net/tcp (proc_net(5)).
func peerUser(r *http.Request) (uid int, err error) {
	theirs, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return 0, errNobody
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return 0, errNobody
	}
	// A client can use an IPv6 socket for an IPv4 address.
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		uid, err = findUser(f, unmapped(theirs), unmapped(local.AddrPort()))
		_ = f.Close()
		if err == nil {
			return uid, nil
		}
	}
	return 0, errNobody
}

// findUser finds the socket from one address to another in a table of sockets.
// Only one that is connected counts: closed by its process it has user 0.
func findUser(table io.Reader, from, to netip.AddrPort) (uid int, err error) {
	const local, remote, state, user, established = 1, 2, 3, 7, "01"
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) <= user || f[state] != established {
			continue
		}
		if socketAddr(f[local]) == from && socketAddr(f[remote]) == to {
			return strconv.Atoi(f[user])
		}
	}
	return 0, errNobody
}

// socketAddr reads "0100007F:1F90": the address in words of the machine's byte
// order, the port as a number. It is the zero value for what is no address.
func socketAddr(s string) netip.AddrPort {
	addr, port, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(addr)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}
	}
	return unmapped(netip.AddrPortFrom(ip, uint16(n)))
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
