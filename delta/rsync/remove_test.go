package rsync

import (
	"errors"
	"maps"
	"os"
	"slices"
	"testing"

	"inosyncd/delta"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/push"
	"inosyncd/internal/source"
)

// A receiver learns of the rules only when it is told to delete. What is
// excluded has to survive all the ways in which something is removed, and
// over a connection, where the receiver is another process than the sender.
func TestExcludedSurvives(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, kind, func(o *node.Options) { o.Rules = nodetest.Rules(t, "*.log", "cache/", "+ /x/keep.bak", "*.bak") })
			n.write("gone/f", "gone/sub/g", "file/f", "whole/f", "cache.d/f", "k/cache=a file")
			n.full()
			n.plant("gone/a.log", "gone/sub/cache/c", "file/b.log", "whole/sub/c.log", "whole/extra", "cache/d", "cache.d/cache/e", "e.bak")
			n.remove("gone", "file", "whole/f", "cache.d", "k/cache")
			n.write("file")
			res := n.Push(t.Context(), set("i gone", "a whole", "i cache", "i cache.d", "i k/cache", "ic excluded.log"))
			if res.Outcome != push.Done {
				t.Errorf("Push: got %v, %v", res.Outcome, res.Err)
			}
			n.has(true, "gone/a.log", "gone/sub/cache/c", "whole/sub/c.log", "cache/d", "cache.d/cache/e", "e.bak")
			n.has(false, "gone/f", "gone/sub/g", "whole/f", "whole/extra", "cache.d/f", "k/cache")

			// What is in the way of a file stays too, and that is a failure.
			res = n.Push(t.Context(), set("ic file"))
			if res.Outcome != push.Partly || res.Left == nil || !res.Left.Covers("file") {
				t.Errorf("Push: got %v, left %v, %v; want partly, with file left", res.Outcome, marks(res.Left), res.Err)
			}
			n.has(true, "file/b.log")
			n.Push(t.Context(), set("a "))
			n.has(true, "gone/a.log", "gone/sub/cache/c", "file/b.log", "whole/sub/c.log", "cache/d", "cache.d/cache/e", "e.bak")
		})
	}
}

// Directories on the way to what is listed are made equal, but nothing else in
// them is looked at, whatever the node has there.
func TestOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"local", "daemon"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, kind)
			n.write("p/sub/f", "p/file", "q/r/f", "plain/f", "unsent", "unsent.d/f")
			n.plant("top", "p/other", "p/sub2/other", "p/sub/extra", "q/other", "q/r/other", "plain/other")
			n.must(set("i "))
			n.has(false, "unsent", "unsent.d", "p/sub/f")
			n.must(set("i ", "i p", "a p/sub", "ic p/file", "i q", "i q/r", "i plain", "i nothing"))
			n.has(true, "top", "p/other", "p/sub2/other", "q/other", "q/r/other", "plain/other", "p/sub/f", "p/file")
			n.has(false, "p/sub/extra")
			n.must(set("i ", "i q", "i plain"))
			n.has(true, "top", "q/other", "plain/other")
			n.must(set("i "))
			n.must(set("i ", "ic p/file", "i q"))
			n.has(true, "top", "q/other", "p/other")
			n.has(false, "unsent", "unsent.d")
			n.must(set("a "))
			n.equal()
		})
	}
}

func TestDeleteOff(t *testing.T) {
	t.Parallel()
	n := newNode(t, "daemon", func(o *node.Options) { o.Delete = false })
	n.write("f", "d/g", "e/h")
	n.must(set("a "))
	n.remove("f", "d", "e/h")
	n.write("e/i")
	n.must(set("i f", "i d", "a e"))
	n.must(set("a "))
	n.has(true, "f", "d/g", "e/h", "e/i")

	n.write("d") // a file where the node has a directory
	if res := n.Push(t.Context(), set("ic d")); res.Outcome != push.Partly || res.Cure == "" {
		t.Errorf("Push: got %v, %v, %q; want partly and a cure", res.Outcome, res.Err, res.Cure)
	}
	n.has(true, "d/g")
}

func TestMaxDelete(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 2 })
	n.write("a/1", "a/2", "b/1", "c/1", "c/2", "c/3")
	n.full()
	n.remove("a/1", "c/1")
	n.must(set("i a/1", "i c/1"))
	n.has(false, "a/1", "c/1")

	n.remove("b", "c")
	n.write("new", "c")
	all := set("i b", "ic c", "ic new")
	for range 2 {
		res := n.Push(t.Context(), all)
		if res.Outcome != push.Hold || res.Err == nil || res.Cure == "" || res.Deleted != 0 {
			t.Fatalf("Push: got %v, %v, %q, %d removed; want hold and none", res.Outcome, res.Err, res.Cure, res.Deleted)
		}
		if res.Left == nil || !res.Left.Covers("b") || res.Left.Covers("new") {
			t.Errorf("Push: got left %s; want the removals alone", marks(res.Left))
		}
		n.has(true, "b/1", "c/2", "c/3", "new")
	}
	if !n.Holding() {
		t.Error("Holding(): got false while removals are held, want true")
	}
	n.Approve()
	n.remove("a")
	all.Merge(set("i a"))
	if res := n.Push(t.Context(), all); res.Outcome != push.Hold {
		t.Errorf("Push of more than was approved: got %v, want hold", res.Outcome)
	}
	n.has(true, "a/2", "b/1", "c/2")
	n.write("meanwhile") // what is pushed before it is approved uses nothing up
	n.must(set("ic meanwhile"))
	n.Approve()
	if res := n.must(all); res.Deleted < 5 {
		t.Errorf("Deleted: got %d, want 5 or more", res.Deleted)
	}
	if n.Holding() {
		t.Error("Holding() after they were made: got true, want false")
	}
	n.equal()

	n.write("d/1", "d/2", "d/3")
	n.full()
	n.remove("d")
	if res := n.Push(t.Context(), set("a ")); res.Outcome != push.Hold {
		t.Errorf("Push after an approval was used: got %v, want hold", res.Outcome)
	}
	n.has(true, "d/1")
}

func TestEmptySource(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.Rules = nodetest.Rules(t, "lost+found"); o.MaxDelete = 100 })
	n.must(set("a ")) // nothing on either side
	n.plant("f", "d/g")
	n.write("lost+found/f")
	res := n.Push(t.Context(), set("a "))
	if res.Outcome != push.Hold || res.Cure == "" {
		t.Fatalf("Push: got %v, %v; want hold", res.Outcome, res.Err)
	}
	n.has(true, "f", "d/g")

	// Something in it does not make it the source; all that the node has does.
	n.write("stray")
	for _, s := range []string{"c stray", "a ", "a "} {
		want := push.Done
		if s == "a " {
			want = push.Hold
		}
		if res := n.Push(t.Context(), set(s)); res.Outcome != want {
			t.Errorf("Push(%q) of a source that was empty at first: got %v, %v; want %v", s, res.Outcome, res.Err, want)
		}
	}
	n.has(true, "f", "d/g", "stray")
	n.Approve()
	n.must(set("a "))
	n.equal()

	// A source that was emptied while it was watched is what it is.
	n.write("f")
	n.full()
	n.remove("f")
	n.full()
}

func TestSourceGone(t *testing.T) {
	t.Parallel()
	replace := map[string]func(n *mirror){
		"missing":  func(*mirror) {},
		"replaced": func(n *mirror) { n.mkdir(n.src) },
		"a file":   func(n *mirror) { n.do(os.WriteFile(n.src, nil, 0o644)) },
		"a link":   func(n *mirror) { n.mkdir(n.src + ".empty"); n.do(os.Symlink(n.src+".empty", n.src)) },
	}
	for name, f := range replace {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local")
			n.write("f", "d/g")
			n.full()
			n.do(os.Rename(n.src, n.src+".away"))
			f(n)
			for _, s := range []string{"a ", "i f", "a d"} {
				res := n.Push(t.Context(), set(s))
				if res.Outcome != push.Hold || !errors.Is(res.Err, source.ErrGone) || res.Cure == "" {
					t.Errorf("Push(%q): got %v, %v; want hold, the source is gone", s, res.Outcome, res.Err)
				}
			}
			n.has(true, "f", "d/g")
			n.do(os.RemoveAll(n.src))
			n.do(os.Rename(n.src+".away", n.src))
			n.full()
		})
	}
}

// The source is replaced between the check of its path and the moment when
// rsync opens it, for all of a comparison that removes.
func TestSourceGoneWhileRsyncStarts(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f", "d/g")
	n.full()
	nodetest.Wrap(t, `case "$*" in *--version*) ;; *) mv `+n.src+` `+n.src+`.away; mkdir `+n.src+`;; esac; exec RSYNC`)(n.options())
	n.Push(t.Context(), set("a "))
	n.has(true, "f", "d/g")
	res := n.Push(t.Context(), set("a "))
	if !errors.Is(res.Err, source.ErrGone) {
		t.Errorf("Push: got %v, want that the source is gone", res.Err)
	}
	n.has(true, "f", "d/g")
}

// The source is replaced between the check of its path and the start of rsync,
// which then has the directory that the plan looked at, and not what is there.
func TestSourceReplacedBeforeRsyncStarts(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f", "d/g")
	n.full()
	n.options()
	all := set("a ")
	plan, err := delta.NewPlan(n.o.Source, n.o.Rules, true, all)
	n.do(err)
	defer plan.Close()
	n.do(os.Rename(n.src, n.src+".away"))
	n.mkdir(n.src)
	b := newBatch(n.Engine, plan, all)
	b.reported = func() {}
	end, v := b.start(t.Context(), mode{whole: true, recurse: true, delete: true}, nil)
	if end.Code != 0 || v.outcome != push.Done {
		t.Errorf("start: got code %d, %v, %v; want 0, done", end.Code, v.outcome, v.err)
	}
	n.has(true, "f", "d/g")
}

// The source is moved away while a push sends: nothing is removed after that.
func TestSourceGoneBeforeTheRemovals(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f", "gone")
	n.full()
	n.remove("gone")
	n.write("f=changed")
	nodetest.Wrap(t, `case "$*" in *--version*|*--delete-missing-args*) exec RSYNC;; esac; RSYNC && mv `+n.src+` `+n.src+`.away`)(n.options())
	n.age()
	res := n.Push(t.Context(), set("ic f", "i gone"))
	if res.Outcome != push.Hold || !errors.Is(res.Err, source.ErrGone) || res.Cure == "" {
		t.Errorf("Push: got %v, %v, %q; want hold, the source is gone, and a cure", res.Outcome, res.Err, res.Cure)
	}
	n.has(true, "gone")
}

// Receivers without a working --delete-missing-args are served another way.
func TestPoorReceiver(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"broken":  `echo "invalid file mode 00 for d/old [Receiver]" >&2; exit 2`,
		"unknown": `echo "rsync: on remote machine: --delete-missing-args: unknown option" >&2; exit 4`,
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "daemon",
				func(o *node.Options) { o.Rules = nodetest.Rules(t, "*.log", "cache/") },
				nodetest.Wrap(t, `case "$*" in *--delete-missing-args*) `+answer+`;; esac; exec RSYNC`))
			odd := []string{"star*", "a]b", `back\slash`, `b\[x]`, "#hash", "new\nline", "- minus", "what?"}
			for _, name := range odd {
				n.write("odd/"+name+"/f", "odd2/"+name)
			}
			n.write("d/old", "d/keep", "e/f/g/h", "e/i", "top", "cache=file")
			n.full()
			n.plant("d/extra", "extra", "e/f/x.log")
			n.remove("d/old", "e/f", "top")
			gone := []string{"i d/old", "i e/f/g", "i e/f", "i top"}
			for _, name := range odd {
				n.remove("odd/"+name, "odd2/"+name)
				gone = append(gone, "i odd/"+name, "i odd2/"+name)
			}
			for range 2 {
				n.must(set(gone...))
			}
			n.has(false, "d/old", "e/f/g", "top")
			for _, name := range odd {
				n.has(false, "odd/"+name, "odd2/"+name)
			}
			n.has(true, "d/extra", "extra", "e/f/x.log", "d/keep", "e/i")
			for _, dir := range []string{"", "d", "e", "odd"} {
				src, err := os.Stat(n.src + "/" + dir)
				n.do(err)
				dst, err := os.Stat(n.dst + "/" + dir)
				n.do(err)
				if !src.ModTime().Equal(dst.ModTime()) {
					t.Errorf("time of %q: got %v, want %v", dir, dst.ModTime(), src.ModTime())
				}
			}
			n.do(os.Remove(n.dst + "/e/f/x.log"))
			n.must(set("a "))
			n.equal()
		})
	}
}
