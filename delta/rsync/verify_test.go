package rsync

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		t.Run(kind, func(t *testing.T) {
			n := newNode(t, kind, func(o *node.Options) { o.Rules = nodetest.Rules(t, "*.tmp") })
			n.write("same", "content=one", "size", "mode", "gone\n", "d/f", "a.tmp")
			n.full()
			if got := n.verify(); len(got) > 0 {
				t.Fatalf("Verify after a full sync: got %q, want nothing", got)
			}
			n.plant("c.tmp", "d/c.tmp") // which gives their directories other times
			if got := n.verify(); len(got) > 0 {
				t.Errorf("Verify beside excluded files: got %q, want nothing", got)
			}
			n.do(os.Chmod(n.dst+"/d", 0o700))
			info, err := os.Stat(n.dst + "/content")
			n.do(err)
			n.plant("content=two", "size=other", "d/extra", "b.tmp")
			n.do(os.Chtimes(n.dst+"/content", info.ModTime(), info.ModTime()))
			n.do(os.Chmod(n.dst+"/mode", 0o600))
			n.do(os.Remove(n.dst + "/gone\n"))
			n.do(os.Remove(n.dst + "/d/f"))
			want := []string{
				`"content": content`, `"d": permissions`, `"d/extra": extra`, `"d/f": missing`, `"gone\n": missing`,
				`"mode": permissions`, `"size": content, size, times`,
			}
			if diff := cmp.Diff(want, n.verify()); diff != "" {
				t.Errorf("Verify (-want +got):\n%s", diff)
			}
			n.has(true, "d/extra") // nothing was changed
		})
	}
}

// verify returns what differs.
func (n *mirror) verify() []string {
	n.t.Helper()
	var got []string
	_, err := n.Verify(n.t.Context(), func(d Difference) {
		got = append(got, fmt.Sprintf("%q: %s", d.Path, d.Kind))
	})
	n.do(err)
	slices.Sort(got)
	return got
}

func TestVerifyWithoutANode(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f")
	n.do(os.RemoveAll(n.src))
	if _, err := n.Verify(t.Context(), func(Difference) {}); err == nil {
		t.Error("Verify without a source: got no error")
	}
}
