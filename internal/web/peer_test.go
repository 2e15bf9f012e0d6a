package web

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// word writes an address as the kernel does, in words of this machine.
func word(addr string) string {
	raw := netip.MustParseAddr(addr).AsSlice()
	var b strings.Builder
	for i := 0; i < len(raw); i += 4 {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(raw[i:]))
	}
	return b.String()
}

func TestFindUser(t *testing.T) {
	line := func(local, remote, state string, uid int) string {
		return fmt.Sprintf("   0: %s %s %s 00000000:00000000 00:00000000 00000000  %d        0 123 1 0\n", local, remote, state, uid)
	}
	four, six, mapped := word("127.0.0.1"), word("::1"), word("::ffff:127.0.0.1")
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for _, tt := range []struct {
		name, table, from, to string
		want                  int // -1: nobody
	}{
		{"IPv4", line(four+":1F90", four+":2439", "01", 1000), "127.0.0.1:8080", "127.0.0.1:9273", 1000},
		{"IPv6", line(six+":1F90", six+":2439", "01", 7), "[::1]:8080", "[::1]:9273", 7},
		{"IPv4 of an IPv6 socket", line(mapped+":1F90", mapped+":2439", "01", 7), "127.0.0.1:8080", "127.0.0.1:9273", 7},
		{"the other end", line(four+":2439", four+":1F90", "01", 0), "127.0.0.1:8080", "127.0.0.1:9273", -1},
		{"closed by its process", line(four+":1F90", four+":2439", "04", 0), "127.0.0.1:8080", "127.0.0.1:9273", -1},
		{"another port", line(four+":1F91", four+":2439", "01", 0), "127.0.0.1:8080", "127.0.0.1:9273", -1},
		{"no address", line("x:y", "", "01", 0) + "1 2 3\n\n", "127.0.0.1:8080", "127.0.0.1:9273", -1},
	} {
		got, err := findUser(strings.NewReader(head+tt.table), netip.MustParseAddrPort(tt.from), netip.MustParseAddrPort(tt.to))
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%s: findUser(%s, %s): got %d, want %d", tt.name, tt.from, tt.to, got, tt.want)
		}
	}
}
