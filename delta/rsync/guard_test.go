package rsync

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// files are the names of n files below dir.
func files(dir string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s/%d", dir, i))
	}
	return names
}

// count is how many entries the node has in dir.
func (n *mirror) count(dir string) int {
	n.t.Helper()
	found, err := filepath.Glob(filepath.Join(n.dst, dir, "*"))
	n.do(err)
	return len(found)
}

// What vanishes from the source after the removals were counted is removed only
// as far as max_delete goes, whatever kind of run comes by it, and is counted
// before the next.
func TestVanishedAfterTheCount(t *testing.T) {
	tests := map[string]struct {
		mark   string
		script string // run in the source after the count
		dir    string // that the node has nine files too many in
	}{
		"whole tree":           {"a ", `rm d/*`, "d"},
		"directory":            {"a d", `rm d/*`, "d"},
		"and next to it":       {"a ", `rm d/* f`, "d"},
		"and a file fails":     {"a ", `rm d/* DST/f; echo changed >f; mkdir DST/f; touch DST/f/x.log`, "d"},
		"directory for a file": {"ic x", `mkdir DST/x; cp d/* DST/x`, "x"},
	}
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		site := newSite(t, kind)
		for name, tt := range tests {
			t.Run(kind+", "+name, func(t *testing.T) {
				n := site.node(t, func(o *node.Options) { o.MaxDelete, o.Rules = 3, nodetest.Rules(t, "*.log") })
				n.write(append(files("d", 9), "f")...)
				n.full()
				n.write("x")
				script := `cd ` + n.src + `; ` + strings.ReplaceAll(tt.script, "DST", n.dst)
				nodetest.Wrap(t, `case "$*" in *--version*|*--dry-run*) ;; *) (`+script+`) 2>&-;; esac; exec RSYNC`)(n.options())
				res := n.Push(t.Context(), set(tt.mark))
				has := n.count(tt.dir)
				if res.Outcome != push.Partly || res.Deleted > 3 || has < 6 {
					t.Errorf("Push: got %v, %d removed, %d of 9 kept, %v; want partly, 3 at most, 6 at least", res.Outcome, res.Deleted, has, res.Err)
				}
				n.o.Program = ""
				if res := n.Push(t.Context(), res.Left); res.Outcome != push.Hold || res.Deleted != 0 || n.count(tt.dir) != has {
					t.Errorf("the next push: got %v, %v, %d removed; want hold and none", res.Outcome, res.Err, res.Deleted)
				}
			})
		}
	}
}

// The runs of one batch have one limit together: what vanishes late uses up what
// was counted.
func TestRunsShareTheLimit(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 3 })
	n.write(append(files("d", 9), "e")...)
	n.full()
	n.remove("e")
	nodetest.Wrap(t, `case "$*" in *--version*|*--dry-run*) ;; *) (rm `+n.src+`/d/*) 2>&-;; esac; exec RSYNC`)(n.options())
	res := n.Push(t.Context(), set("a d", "i e"))
	if res.Outcome != push.Partly || res.Deleted != 3 || n.count("d") != 6 {
		t.Errorf("Push: got %v, %d removed, %d of 9 kept, %v; want partly, 3, 6", res.Outcome, res.Deleted, n.count("d"), res.Err)
	}
	n.has(true, "e")
	if res.Left == nil || !res.Left.Covers("e") || !res.Left.Covers("d") {
		t.Errorf("Push: got left %s, want both", marks(res.Left))
	}
}

// What broken pushes have left is removed besides what max_delete allows, and
// lets nothing more through.
func TestLeftoversAreNotCounted(t *testing.T) {
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 2; o.Rules = nodetest.Rules(t, ".inosyncd-partial/") })
	n.write("f", "d/1", "d/2", "d/3", "d/4")
	n.full()
	n.plant(".inosyncd-partial/gone", "d/.inosyncd-partial/a", "d/.inosyncd-partial/b")
	n.remove("d/1", "d/2")
	if res := n.must(set("a ")); res.Deleted != 2 {
		t.Errorf("Push: got %d removed, want 2", res.Deleted)
	}
	n.has(false, ".inosyncd-partial", "d/.inosyncd-partial")
	n.plant("d/.inosyncd-partial/a")
	n.remove("d")
	if res := n.Push(t.Context(), set("a ")); res.Outcome != push.Hold || !strings.Contains(res.Err.Error(), "3 entries") {
		t.Errorf("Push: got %v, %v; want hold for 3 entries", res.Outcome, res.Err)
	}
	n.has(true, "d/3", "d/4")
	n.Approve()
	n.must(set("a "))
	n.equal()
}

// An approval is for what was held, or part of it, and for the next push: as many
// others are not removed, and neither is the rest on another day.
func TestApprovalIsOfPaths(t *testing.T) {
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 1 })
	n.write(append(files("a", 4), files("b", 4)...)...)
	n.full()
	hold := func(what string) {
		t.Helper()
		if res := n.Push(t.Context(), set("a ")); res.Outcome != push.Hold || res.Deleted != 0 {
			t.Errorf("Push %s: got %v, %v, %d removed, want hold and none", what, res.Outcome, res.Err, res.Deleted)
		}
	}
	n.remove("a/0", "a/1", "a/2")
	hold("of three")
	n.Approve()
	n.write("a/0", "a/1", "a/2")
	n.remove("b/0", "b/1")
	hold("of others than were approved")
	n.write("b/0", "b/1")
	n.remove("a/0", "a/1", "a/2")
	hold("of what was approved for an earlier push")

	n.Approve()
	n.write("a/0")
	n.must(set("a ")) // the rest of it
	n.equal()
	n.remove("a/0", "b/0")
	hold("after the approval was used")

	n.Approve()
	n.write("a/0", "b/0")
	n.must(set("a "))
	n.remove("a/0", "b/0")
	hold("after there was nothing to use the approval for")
	n.Approve()
	n.must(set("a "))
	n.equal()
}

// A push that breaks off leaves the approval to the next one.
func TestApprovalOutlivesABrokenPush(t *testing.T) {
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 1 })
	n.write(files("d", 4)...)
	n.full()
	n.remove("d")
	n.Push(t.Context(), set("a "))
	n.Approve()
	nodetest.Wrap(t, `case "$*" in *--version*|*--dry-run*) exec RSYNC;; esac; exit 12`)(n.options())
	if res := n.Push(t.Context(), set("a ")); res.Outcome != push.Again {
		t.Errorf("Push that is broken off: got %v, %v, want again", res.Outcome, res.Err)
	}
	n.o.Program = ""
	n.must(set("a "))
	n.equal()
}

// An approval that is given while a push of something else is under way is not
// used up by that.
func TestApprovalDuringAPush(t *testing.T) {
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 1 })
	n.write(files("d", 4)...)
	n.full()
	n.remove("d")
	n.Push(t.Context(), set("a d"))
	counting, goOn := filepath.Join(t.TempDir(), "counting"), filepath.Join(t.TempDir(), "go on")
	nodetest.Wrap(t, `case "$*" in *--dry-run*) touch '`+counting+`'; while [ ! -e '`+goOn+`' ]; do sleep 0.01; done;; esac; exec RSYNC`)(n.options())
	n.write("new")
	n.age()
	var pushing sync.WaitGroup
	pushing.Go(func() { n.Push(t.Context(), set("ic new")) })
	labtest.Eventually(t, func() error {
		_, err := os.Stat(counting)
		return err
	})
	n.Approve()
	n.do(os.WriteFile(goOn, nil, 0o644))
	pushing.Wait()
	n.has(true, "new", "d/0")
	n.must(set("a d"))
	n.has(false, "d")
}

func TestDeletionsWithin(t *testing.T) {
	of := func(prefix string, n int) *deletions {
		d := &deletions{}
		for _, name := range files(prefix, n) {
			d.add(name)
		}
		return d
	}
	twice := of("a", 3)
	twice.add("a/0")
	for _, tt := range []struct {
		name  string
		d, in *deletions
		want  bool
	}{
		{"none in none", of("a", 0), of("a", 0), true},
		{"the same", of("a", 3), of("a", 3), true},
		{"counted twice", twice, of("a", 3), true},
		{"a part", of("a", 2), of("a", 3), true},
		{"more", of("a", 4), of("a", 3), false},
		{"others", of("b", 3), of("a", 3), false},
		{"as many as are named", of("a", maxNamed-1), of("a", maxNamed), true},
		{"more than are named, the same", of("a", maxNamed+9), of("a", maxNamed+9), true},
		{"more than are named, a part", of("a", maxNamed+8), of("a", maxNamed+9), false},
		{"more than are named, others", of("b", maxNamed+9), of("a", maxNamed+9), false},
		{"more than are named in fewer", of("a", maxNamed+9), of("a", maxNamed), false},
	} {
		if got := tt.d.within(tt.in); got != tt.want {
			t.Errorf("%s: within() of %d in %d: got %v, want %v", tt.name, tt.d.n, tt.in.n, got, tt.want)
		}
		if len(tt.d.paths) > maxNamed {
			t.Errorf("%s: got %d kept by name, want %d at most", tt.name, len(tt.d.paths), maxNamed)
		}
	}
}

// The rsync that waits for a push of files has the limit that the push will have.
func TestArmedWithALimit(t *testing.T) {
	for name, tt := range map[string]struct {
		o    node.Options
		b    batch
		want bool
	}{
		"within the limit": {node.Options{Delete: true, MaxDelete: 3}, batch{removes: true, limited: true, limit: 3}, true},
		"approved":         {node.Options{Delete: true, MaxDelete: 3}, batch{removes: true, limited: true, limit: 9}, false},
		"some are gone":    {node.Options{Delete: true, MaxDelete: 3}, batch{removes: true, limited: true, limit: 3, removed: 1}, false},
		"held back":        {node.Options{Delete: true, MaxDelete: 3}, batch{}, false},
		"no limit":         {node.Options{Delete: true}, batch{removes: true}, true},
		"delete: false":    {node.Options{MaxDelete: 3}, batch{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			tt.b.e = &Engine{o: &tt.o}
			if got := tt.b.bounded(mode{delete: tt.b.removes}).same(tt.b.e.arms()); got != tt.want {
				t.Errorf("an armed rsync can be used: got %v, want %v", got, tt.want)
			}
		})
	}
}
