package rsync

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/internal/push"
)

// A file gets its name when everything of it is as it should be: who waits for
// the name sees no other mode or time, and no other content, ever after.
func TestNamedWhenComplete(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*node.Options){
		"at once": func(*node.Options) {},
		"delayed": func(o *node.Options) { o.DelayUpdates = true },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local", change)
			n.full()
			events := observe(t, n.dst)
			for _, content := range []string{"new", "changed, and longer", "x"} {
				n.write("f=" + strings.Repeat(content, 10_000))
				n.do(os.Chmod(n.src+"/f", 0o640))
				n.do(os.Chtimes(n.src+"/f", time.Unix(1e9, 5), time.Unix(1e9, 5)))
				if os.Geteuid() == 0 {
					n.do(os.Chown(n.src+"/f", 65534, 65534))
				}
				n.must(set("ic f"))
				n.equal()
			}
			if got := strings.Join(events("f"), " "); got != "moved-to moved-to moved-to" {
				t.Errorf("events of f at the node: got %q, want that it was moved there three times", got)
			}
		})
	}
}

// observe returns what returns the events of a name in a directory that are about
// its existence, content or attributes, since observe was called.
func observe(t *testing.T, dir string) (events func(name string) []string) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MODIFY|unix.IN_ATTRIB|unix.IN_MOVED_TO|unix.IN_MOVED_FROM|unix.IN_DELETE)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	words := map[uint32]string{
		unix.IN_CREATE: "create", unix.IN_MODIFY: "modify", unix.IN_ATTRIB: "attrib",
		unix.IN_MOVED_TO: "moved-to", unix.IN_MOVED_FROM: "moved-from", unix.IN_DELETE: "delete",
	}
	return func(name string) (all []string) {
		buf := make([]byte, 1<<20)
		size, err := unix.Read(fd, buf) // one read takes all that fits
		if err != nil {
			t.Fatalf("reading events: %v", err)
		}
		for rest := buf[:size]; len(rest) > 0; {
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(rest[12:]))
			if string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:end], "\x00")) == name {
				all = append(all, words[binary.NativeEndian.Uint32(rest[4:])])
			}
			rest = rest[end:]
		}
		return all
	}
}

// Whatever the clocks of the two say: the node gets the source's state, be that
// newer or older than its own.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	far := map[string]time.Time{
		"ahead":  time.Date(2105, 1, 1, 0, 0, 0, 1, time.UTC),
		"behind": time.Date(1971, 1, 1, 0, 0, 0, 1, time.UTC),
	}
	for name, at := range far {
		for _, side := range []string{"source", "node"} {
			t.Run(side+" "+name, func(t *testing.T) {
				n := newNode(t, "daemon")
				n.write("whole", "d/listed", "same")
				n.full()
				n.write("whole=here", "d/listed=here")
				root := n.src
				if side == "node" {
					n.plant("whole=there", "d/listed=there")
					root = n.dst
				}
				for _, file := range []string{"whole", "d/listed", "same", "d"} {
					n.do(os.Chtimes(filepath.Join(root, file), at, at))
				}
				n.must(set("ic d/listed", "i d"))
				n.must(set("a "))
				n.equal()
			})
		}
	}
}

// What is too deep for rsync, whose paths end at PATH_MAX, is a failure that is
// told. All else is sent, and what is gone goes.
func TestPathsBeyondPathMax(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f", "top/g")
	n.full()
	name := strings.Repeat("n", 250)
	dir, err := os.OpenRoot(n.src)
	n.do(err)
	path := ""
	for range 20 {
		n.do(dir.Mkdir(name, 0o755))
		next, err := dir.OpenRoot(name)
		n.do(errors.Join(err, dir.Close()))
		dir, path = next, path+name+"/"
	}
	n.do(dir.WriteFile("deep", []byte("deep"), 0o644))
	n.do(dir.Close())
	n.write("f=changed", "h")
	n.remove("top")
	n.plant("extra")
	for _, s := range []string{"i top,ic f,ic " + path + "deep,i " + path + "gone", "ic h,ia " + name, "a "} {
		n.age()
		res := n.Push(t.Context(), set(strings.Split(s, ",")...))
		if res.Outcome != push.Partly || !strings.Contains(res.Cure, "shorten the path") {
			t.Errorf("Push(%.20q): got %v, %v, cure %q; want partly, and that it is too long", s, res.Outcome, res.Err, res.Cure)
		}
	}
	n.has(true, "h", name)
	n.has(false, "top", "extra")
	if got, err := os.ReadFile(n.dst + "/f"); string(got) != "changed" {
		t.Errorf("f on the node: got %q, %v; want it changed", got, err)
	}
}

// The longest path that rsync takes gets to the node, and one of a byte more is
// too long.
func TestLongestPath(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.full()
	dir, err := os.OpenRoot(n.src)
	n.do(err)
	path := ""
	for range 16 {
		name := strings.Repeat("n", 250)
		n.do(dir.Mkdir(name, 0o755))
		next, err := dir.OpenRoot(name)
		n.do(errors.Join(err, dir.Close()))
		dir, path = next, path+name+"/"
	}
	defer dir.Close()
	name := strings.Repeat("f", 4093-len(path))
	n.do(errors.Join(dir.WriteFile(name, nil, 0o644), dir.WriteFile(name+"f", nil, 0o644)))
	n.must(set("ic " + path + name))
	res := n.Push(t.Context(), set("ic "+path+name+"f"))
	if res.Outcome != push.Partly || !strings.Contains(res.Cure, "shorten the path") {
		t.Errorf("Push of a byte more: got %v, %v, cure %q; want partly, and that it is too long", res.Outcome, res.Err, res.Cure)
	}
	copied, err := os.OpenRoot(n.dst)
	n.do(err)
	defer copied.Close()
	if _, err := copied.Stat(path + name); err != nil {
		t.Errorf("the longest path at the node: %v", err)
	}
}
