package rsync

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/delta"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// found are the differences that a push names, in order.
func found(res push.Result) []string {
	if res.Found == nil {
		return []string{"no comparison"}
	}
	names := []string{}
	for _, d := range res.Found.Names {
		names = append(names, [...]string{"created", "updated", "attributes", "deleted"}[d.Kind]+" "+d.Path)
	}
	slices.Sort(names)
	return names
}

// settle returns when what was changed so far is no recent change any more.
func (n *mirror) settle() {
	n.t.Helper()
	start := time.Now()
	labtest.Eventually(n.t, func() error {
		if !delta.Now().After(start.Add(slack)) {
			return errors.New("the changes are recent still")
		}
		return nil
	})
}

// A full sync tells what it found different: also what a node has lost.
func TestFoundByAFullSync(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, kind, func(o *node.Options) { o.Rules, o.Checksum = nodetest.Rules(t, "*.tmp"), true })
			n.write("same", "size", "mode", "gone\n", "d/f", "a.tmp", "dir/x")
			n.full()
			if res := n.must(set("a ")); len(found(res)) > 0 || res.Found.Len() != 0 || !res.Verified {
				t.Fatalf("a second full sync: got %q, verified %v, want nothing, by content", found(res), res.Verified)
			}
			n.plant("size=other", "d/extra/x", "b.tmp")
			n.do(os.Chmod(n.dst+"/mode", 0o600))
			n.do(os.Remove(n.dst + "/gone\n"))
			n.do(os.RemoveAll(n.dst + "/dir"))
			n.settle()
			all := change.Full(time.Now())
			all.Add("same", change.Content, time.Now())
			res := n.must(all)
			want := []string{
				"attributes mode", "created dir", "created dir/x", "created gone\n",
				"deleted d/extra", "updated size", // what was in extra is not named (rsync 3.5.0)
			}
			if diff := cmp.Diff(want, found(res)); diff != "" || res.Found.Len() != len(want) {
				t.Errorf("full sync: got %d differences (-want +got):\n%s", res.Found.Len(), diff)
			}
			n.write("new")
			if res := n.must(set("ic new")); res.Found != nil || res.Verified {
				t.Errorf("push of a file: got %q, verified %v, want no comparison of the tree", found(res), res.Verified)
			}
		})
	}
}

// What changes at the source during the comparison explains itself.
func TestFoundIsNotWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("changed", "stays", "d/gone", "e/x")
	n.full()
	n.plant("stays=by somebody", "e/extra")
	nodetest.Wrap(t, `[ "$1" = --version ] || { rm "$0.once" && { echo more >>changed; rm d/gone; echo new >new; chmod 600 e/x; }; } >/dev/null 2>&1; exec RSYNC`)(n.options())
	n.do(os.WriteFile(n.o.Program+".once", nil, 0o600))
	n.settle()
	want := []string{"deleted e/extra", "updated stays"}
	if diff := cmp.Diff(want, found(n.Push(t.Context(), change.Full(time.Now())))); diff != "" {
		t.Errorf("full sync (-want +got):\n%s", diff)
	}
	n.full()
}

// Nor is what changed shortly before it was noticed, however long ago that is.
func TestFoundIsNotWhatWasNoticedLate(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("d/x")
	n.full()
	n.settle()
	n.write("late")
	st, err := os.Stat(n.src + "/late")
	n.do(err)
	noticed := st.ModTime().Add(slack * 9 / 10)
	labtest.Eventually(t, func() error {
		if !delta.Now().After(noticed.Add(slack)) {
			return errors.New("it is recent still")
		}
		return nil
	})
	n.plant("d/x=by somebody")
	if diff := cmp.Diff([]string{"updated d/x"}, found(n.must(change.Full(noticed)))); diff != "" {
		t.Errorf("full sync (-want +got):\n%s", diff)
	}
}

// A dry run, which counts removals, finds nothing twice.
func TestFoundWithMaxDelete(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 5 })
	n.write("f")
	n.full()
	n.plant("x", "y")
	n.settle()
	if got := strings.Join(found(n.must(change.Full(time.Now()))), ", "); got != "deleted x, deleted y" {
		t.Errorf("full sync: got %s, want each once", got)
	}
}
