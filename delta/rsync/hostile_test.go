package rsync

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"inosyncd/delta"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/output"
	"inosyncd/internal/change"
	"inosyncd/internal/lab"
	"inosyncd/internal/push"
)

// escapes are what a terminal would obey.
const escapes = "\x1b]0;owned\x07\x1b[31m\x9b2J\r\x08"

// hostility is what a node does with a connection.
type hostility func(c net.Conn, r *bufio.Reader)

// A node can say whatever it likes: its push fails, in clean words and in bounded
// memory, and the source stays as it is.
func TestHostileNode(t *testing.T) {
	for name, act := range map[string]hostility{
		"says nothing and ends": func(net.Conn, *bufio.Reader) {},
		"garbage":               func(c net.Conn, _ *bufio.Reader) { say(c, strings.Repeat("\x00\xff"+escapes, 1000)) },
		"endless greeting":      func(c net.Conn, _ *bufio.Reader) { endless(c, strings.Repeat("x", 1<<16)) },
		"absurd version":        func(c net.Conn, _ *bufio.Reader) { say(c, "@RSYNCD: 4294967295.-1 "+escapes+"\n") },
		"old version":           func(c net.Conn, _ *bufio.Reader) { say(c, "@RSYNCD: 1.0\n") },
		"escapes in an error": func(c net.Conn, r *bufio.Reader) {
			greet(c, r)
			say(c, "@ERROR: "+escapes+strings.Repeat("long ", 1000)+"\n")
		},
		"garbage for an answer": func(c net.Conn, r *bufio.Reader) {
			accept(c, r)
			endless(c, "\x7f\x00\xffgarbage"+escapes)
		},
		"endless messages": func(c net.Conn, r *bufio.Reader) {
			agree(c, r)
			endless(c, message(msgInfo, escapes+strings.Repeat("z", 4000)+"\n"))
		},
		"huge lengths": func(c net.Conn, r *bufio.Reader) {
			agree(c, r)
			endless(c, "\xff\xff\xff\x08"+strings.Repeat("w", 1<<16))
		},
		"unknown messages": func(c net.Conn, r *bufio.Reader) {
			agree(c, r)
			endless(c, message(77, "what"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // what takes time is to end an rsync that is kept busy
			n := newHostile(t, act)
			res := n.Push(t.Context(), set("ic f"))
			if res.Err == nil || res.Outcome != push.Again && res.Outcome != push.Hold {
				t.Fatalf("Push: got %v, %v; want a failure", res.Outcome, res.Err)
			}
			if text := res.Err.Error(); !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\x07\x08\r\n") || len(text) > 600 {
				t.Errorf("Push: got the error %q, want clean words", text)
			}
			n.unharmed()
		})
	}
}

// A node that is always busy, as a very slow one is, has nothing but its own push
// going on, which can be stopped.
func TestBusyNode(t *testing.T) {
	for name, act := range map[string]hostility{
		"lines before it agrees": func(c net.Conn, r *bufio.Reader) {
			greet(c, r)
			endless(c, escapes+strings.Repeat("y", 1000)+"\n")
		},
		"removals": func(c net.Conn, r *bufio.Reader) {
			agree(c, r)
			endless(c, message(msgDeleted, "f\x00"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // what takes time is to end an rsync that is kept busy
			n := newHostile(t, act)
			stop, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			res := n.Push(stop, set("ic f"))
			if res.Outcome != push.Again || res.Err == nil {
				t.Errorf("Push: got %v, %v; want again", res.Outcome, res.Err)
			}
			n.unharmed()
		})
	}
}

// A name that leads out of the source is never looked at, and in no set.
func TestNamesThatLeadOut(t *testing.T) {
	n := newNode(t, "local")
	n.write("f")
	n.settle() // or what is removed from the root would be taken for a change
	all := change.Full(time.Now())
	plan, err := delta.NewPlan(n.o.Source, n.rules, true, all)
	n.do(err)
	defer plan.Close()
	b := newBatch(n.Engine, plan, all)
	for _, name := range []string{"../x", "/x", "d/../../x", "a//b", "."} {
		for _, what := range []string{"<f.st......", "*deleting  ", ".f...p....."} {
			b.item(output.Item{What: what, Name: name}, mode{whole: true, recurse: true}, time.Now())
		}
	}
	if !b.vanished.Empty() || b.found.Len() > 0 {
		t.Errorf("of names that lead out: got %d left, %d found, want none", b.vanished.Len(), b.found.Len())
	}
}

// newHostile returns a node that does nothing but act.
func newHostile(t *testing.T, act hostility) *hostileNode {
	t.Helper()
	port := hostile(t, act)
	n := newNode(t, "local", func(o *node.Options) {
		o.Address = node.Address{Kind: node.Daemon, Host: "127.0.0.1", Port: port, Path: "m/"}
	})
	n.write("f", "d/g")
	before, err := lab.Walk(n.src, lab.CompareOptions{})
	n.do(err)
	return &hostileNode{n, before}
}

type hostileNode struct {
	*mirror
	before map[string]lab.Entry
}

// unharmed fails the test if the source has changed, or if much memory is used.
func (n *hostileNode) unharmed() {
	n.t.Helper()
	after, err := lab.Walk(n.src, lab.CompareOptions{})
	n.do(err)
	if diff := cmp.Diff(n.before, after); diff != "" {
		n.t.Errorf("the source (-before +after):\n%s", diff)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	if mem.HeapInuse > 256<<20 { // of all tests that run; what a node says comes to more within a second
		n.t.Errorf("memory in use: got %d bytes", mem.HeapInuse)
	}
}

// The tags of messages, as in rsync's own protocol.
const (
	msgInfo    = 2
	msgDeleted = 101
)

func message(tag uint32, text string) string {
	b := binary.LittleEndian.AppendUint32(nil, (7+tag)<<24|uint32(len(text)))
	return string(b) + text
}

func say(c net.Conn, text string) { _, _ = io.WriteString(c, text) }

// endless says text until nobody listens any more.
func endless(c net.Conn, text string) {
	b := bytes.Repeat([]byte(text), 1+(1<<16)/max(1, len(text)))
	for {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// greet is the first line of each.
func greet(c net.Conn, r *bufio.Reader) {
	say(c, "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n")
	_, _ = r.ReadString('\n')
}

// accept lets the client in.
func accept(c net.Conn, r *bufio.Reader) {
	greet(c, r)
	_, _ = r.ReadString('\n') // the module
	say(c, "@RSYNCD: OK\n")
}

// agree goes on to where messages begin: it takes the client's options, and has
// no flags and a seed for checksums.
func agree(c net.Conn, r *bufio.Reader) {
	accept(c, r)
	for {
		arg, err := r.ReadString(0)
		if err != nil || arg == "\x00" {
			break
		}
	}
	say(c, "\x00\x01\x02\x03\x04")
}

// hostile serves connections as act does, and returns the port.
func hostile(t *testing.T, act hostility) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				act(c, bufio.NewReader(c))
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port
}
