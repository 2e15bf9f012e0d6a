package rsync

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"inosyncd/delta"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/change"
	"inosyncd/internal/filter"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// armed has every engine of the tests arm its node: all of them hold either way.
var armed = flag.Bool("armed", true, "keep nodes armed")

func TestMain(m *testing.M) {
	// A check starts some ten processes: see -rapid.checks for more of them.
	// Most of the time of most tests is waiting: for rsync, sshd and timeouts.
	if err := errors.Join(flag.Set("rapid.checks", "10"), flag.Set("test.parallel", "8")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// mirror is a source, a node of some kind, and an engine between them.
type mirror struct {
	*Engine
	t        testing.TB
	src, dst string
	rules    *filter.Rules
	started  string // see armedNode
}

// site is where nodes of one kind can be made.
type site struct{ *nodetest.Place }

func newSite(t testing.TB, kind string) *site {
	t.Helper()
	return &site{nodetest.New(t, kind)}
}

// newNode returns a node of a kind in a place of its own.
func newNode(t testing.TB, kind string, change ...func(*node.Options)) *mirror {
	t.Helper()
	return newSite(t, kind).node(t, change...)
}

// node returns a node of the site.
func (p *site) node(t testing.TB, change ...func(*node.Options)) *mirror {
	t.Helper()
	o, src, dst := p.Options(t)
	n := &mirror{t: t, src: src, dst: dst}
	if *armed {
		o.Armed = make(chan struct{}, 1)
	}
	for _, f := range change {
		f(&o)
	}
	n.rules = o.Rules
	var err error
	if n.Engine, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return n
}

// options are the engine's, to be changed between pushes. From then on nothing
// is armed: what is had been started with the old ones.
func (n *mirror) options() *node.Options {
	n.armourer.close()
	n.armourer = nil
	return n.o
}

// set reads marks of the form "MARKS PATH", MARKS being i (itself), c (content),
// a (all below) or h (held).
func set(marks ...string) *change.Set {
	s := change.New(0)
	letters := map[rune]change.Mark{
		'i': change.Itself, 'c': change.Content | change.Itself, 'a': change.AllBelow, 'h': change.Held,
	}
	for _, m := range marks {
		flags, path, _ := strings.Cut(m, " ")
		for _, f := range flags {
			s.Add(path, letters[f], someTime)
		}
	}
	return s
}

// must pushes and fails the test unless the result is Done with nothing left.
func (n *mirror) must(s *change.Set) push.Result {
	n.t.Helper()
	n.age()
	res := n.Push(n.t.Context(), s)
	if res.Outcome != push.Done || res.Left != nil || res.Err != nil {
		n.t.Fatalf("Push(%.999s): got %v, left %.999s, err %v", marks(s), res.Outcome, marks(res.Left), res.Err)
	}
	return res
}

// age returns when what was changed is older than anything that happens now:
// the clock that stamps files stands still for some milliseconds at a time.
func (n *mirror) age() {
	n.t.Helper()
	start := time.Now()
	labtest.Eventually(n.t, func() error {
		if !delta.Now().After(start) {
			return errors.New("the kernel's coarse clock stands still")
		}
		return nil
	})
}

// full makes the node equal to the source before a test begins.
func (n *mirror) full() {
	n.t.Helper()
	n.must(set("a "))
	n.equal()
}

// equal fails the test unless the two trees are equal, but for what is
// excluded.
func (n *mirror) equal() {
	n.t.Helper()
	diff, err := lab.Compare(n.src, n.dst, lab.CompareOptions{
		Skip:      n.rules.Excluded,
		HardLinks: n.o.HardLinks,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	if len(diff) > 0 {
		n.t.Errorf("the trees differ:\n%s", strings.Join(diff, "\n"))
	}
}

// marks is a set as text.
func marks(s *change.Set) string {
	var b strings.Builder
	if s != nil {
		for path, mark := range s.All() {
			fmt.Fprintf(&b, "[%q:%d]", path, mark)
		}
	}
	return b.String()
}

func (n *mirror) do(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *mirror) mkdir(path string) { n.t.Helper(); n.do(os.MkdirAll(path, 0o755)) }

// write writes files below the source, making the directories above them. The
// content is the name where none is given after a "=".
func (n *mirror) write(files ...string) { n.t.Helper(); n.fill(n.src, files...) }

// plant writes files below the node's copy.
func (n *mirror) plant(files ...string) { n.t.Helper(); n.fill(n.dst, files...) }

func (n *mirror) fill(root string, files ...string) {
	n.t.Helper()
	for _, f := range files {
		name, content, ok := strings.Cut(f, "=")
		if !ok {
			content = name
		}
		path := filepath.Join(root, name)
		n.mkdir(filepath.Dir(path))
		n.do(os.WriteFile(path, []byte(content), 0o644))
	}
}

func (n *mirror) remove(paths ...string) {
	n.t.Helper()
	for _, p := range paths {
		n.do(os.RemoveAll(filepath.Join(n.src, p)))
	}
}

func (n *mirror) rename(from, to string) {
	n.t.Helper()
	n.do(os.Rename(filepath.Join(n.src, from), filepath.Join(n.src, to)))
}

func (n *mirror) link(target, path string) {
	n.t.Helper()
	n.do(os.Symlink(target, filepath.Join(n.src, path)))
}

// has fails the test unless the node has exactly the given ones of all paths
// named.
func (n *mirror) has(want bool, paths ...string) {
	n.t.Helper()
	for _, p := range paths {
		_, err := os.Lstat(filepath.Join(n.dst, p))
		if got := err == nil; got != want {
			n.t.Errorf("node has %q: got %v, want %v", p, got, want)
		}
	}
}

// rewrite changes the content of a file and nothing that a quick look sees.
func (n *mirror) rewrite(path, content string) {
	n.t.Helper()
	path = filepath.Join(n.src, path)
	st, err := os.Stat(path)
	n.do(err)
	if int(st.Size()) != len(content) {
		n.t.Fatalf("the content of %q must keep its length %d", path, st.Size())
	}
	n.do(os.WriteFile(path, []byte(content), 0o644))
	n.do(os.Chtimes(path, st.ModTime(), st.ModTime()))
}

// someTime is when all changes of the tests were noticed.
var someTime = time.Unix(1, 0)
