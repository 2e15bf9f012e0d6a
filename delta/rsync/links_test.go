package rsync

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// rounds is how often everything is pushed while a directory flips.
const rounds = 4

// A directory of the source that becomes somebody's link at any moment leads
// nowhere: what is behind the link does not get to the node. (On the way to what
// is listed, rsync follows links of root's and of its own user's: 3.5.0.)
func TestLinksFlipAtTheSource(t *testing.T) {
	needConfined(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make links of somebody else's")
	}
	n := newNode(t, "local")
	outside := labtest.Dir(t)
	n.write("d/f", "d/sub/g", "other")
	n.fill(outside, "f=secret", "sub/g=secret", "only=secret")
	n.full()
	copied, err := os.OpenRoot(n.dst)
	n.do(err)
	defer copied.Close()
	dir, stop := n.flip(n.src+"/d", outside, 65534)
	seen := 0
	for i := range rounds {
		for _, name := range []string{"f", "sub/g"} {
			n.do(dir.WriteFile(name, fmt.Appendf(nil, "inside %d", i), 0o644))
		}
		for _, s := range []string{"ic d/f,ic d/sub/g,ic d/only,i d", "a d,ic other", "a "} {
			n.Push(t.Context(), set(strings.Split(s, ",")...))
			for _, name := range []string{"d/f", "d/sub/g", "d/only"} {
				got, err := copied.ReadFile(name) // an error where d is the link
				if err == nil {
					seen++
				}
				if string(got) == "secret" {
					t.Fatalf("round %d, push %q: %q came from behind the link", i, s, name)
				}
			}
		}
	}
	stop()
	if seen == 0 {
		t.Error("the directory never got to the node: the test shows nothing")
	}
	n.full()
}

// A directory of the node that is replaced by a link at any moment leads
// nowhere: what is behind the link stays as it is.
func TestLinksFlipAtTheNode(t *testing.T) {
	needConfined(t)
	for _, kind := range []string{"local", "daemon"} {
		t.Run(kind, func(t *testing.T) {
			base := labtest.Dir(t)
			p := &site{&nodetest.Place{Base: base, Use: nodetest.Kinds["local"](t, base)}}
			if kind == "daemon" {
				p.Use = unconfined(t, base)
			}
			n := p.node(t)
			outside := labtest.Dir(t)
			n.fill(outside, "f=victim", "sub/g=victim", "gone=victim", "dir/h=victim", "kept=victim")
			n.write("d/f", "d/sub/g", "d/gone", "d/dir/h")
			n.full()
			before, err := lab.Walk(outside, lab.CompareOptions{})
			n.do(err)
			n.do(os.Rename(n.dst+"/d", n.dst+"/was"))
			n.do(os.Symlink(outside, n.dst+"/d")) // and it stays
			n.must(set("ic d/f", "ia d"))
			n.full()
			_, stop := n.flip(n.dst+"/d", outside, os.Geteuid())
			for i := range rounds {
				n.write(fmt.Sprintf("d/f=%d", i), fmt.Sprintf("d/sub/g=%d", i), fmt.Sprintf("d/new%d", i), "d/gone", "d/dir/h")
				n.do(os.Chmod(n.src+"/d/sub", 0o700+os.FileMode(i)))
				n.Push(t.Context(), set("ic d/f", "ic d/sub/g", "i d/sub", fmt.Sprintf("ic d/new%d", i), "ic d/gone", "ia d/dir"))
				n.remove("d/gone", "d/dir")
				n.Push(t.Context(), set("i d/gone", "i d/dir"))
				n.Push(t.Context(), set("a d"))
				n.Push(t.Context(), set("a "))
			}
			stop()
			after, err := lab.Walk(outside, lab.CompareOptions{})
			n.do(err)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("what is behind the link (-before +after):\n%s", diff)
			}
			n.full()
		})
	}
}

// needConfined skips the test where rsync resolves names by their paths: from
// 3.5.0 on it goes component by component and follows no link.
func needConfined(t *testing.T) {
	t.Helper()
	labtest.Need(t, "rsync")
	v, err := process.Version(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if process.OlderThan(v, [3]int{3, 5, 0}) {
		t.Skipf("needs rsync 3.5.0, this is %s", v)
	}
}

// unconfined is a daemon without a chroot, whose module is base.
func unconfined(t *testing.T, base string) func(string, *node.Options) {
	t.Helper()
	d, err := lab.StartDaemon(labtest.Dir(t), lab.DaemonOptions{
		NoChroot: true, Modules: []lab.Module{{Name: "m", Path: base}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return func(dst string, o *node.Options) {
		o.Address = node.Address{Kind: node.Daemon, Host: "127.0.0.1", Port: d.Port(), Path: "m" + strings.TrimPrefix(dst, base) + "/"}
	}
}

// plantLink makes a link of a user's.
func plantLink(target, path string, uid int) error {
	if err := os.Symlink(target, path); err != nil {
		return err
	}
	return os.Lchown(path, uid, -1)
}

// exchange exchanges two names, unless rsync has just removed one.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// flip exchanges the directory path with a user's link to target, over and over,
// until stop is called; then the directory is in its place. dir is the
// directory, whatever its name is at the moment.
func (n *mirror) flip(path, target string, uid int) (dir *os.Root, stop func()) {
	n.t.Helper()
	dir, err := os.OpenRoot(path)
	n.do(err)
	beside := strings.TrimSuffix(n.src, "src") + "beside"
	n.do(plantLink(target, beside, uid))
	var flipper sync.WaitGroup
	quit := make(chan struct{})
	flipper.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
			}
			if err := errors.Join(exchange(path, beside), exchange(path, beside)); err != nil {
				n.t.Error(err)
				return
			}
			if _, err := os.Readlink(beside); err != nil { // rsync has put a directory in its place
				_ = os.RemoveAll(beside)
				_ = plantLink(target, beside, uid)
			}
		}
	})
	return dir, func() {
		close(quit)
		flipper.Wait()
		n.do(dir.Close())
		n.do(os.RemoveAll(beside))
	}
}
