package rsync

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
)

// What pushes that broke off have left at the node goes with the next
// comparison of all of it, and with no other push.
func TestLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	left := []string{
		".inosyncd-partial/gone", "d/.inosyncd-partial/f", "d/.inosyncd-partial/gone",
		"d/.inosyncd-partial/sub/x", ".f.A1b2C3", "d/.gone.A1b2C3",
	}
	// These are as the configuration has them.
	own := []string{"*.log", "cache/", ".inosyncd-partial/"}
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		for name, delay := range map[string]bool{"at once": false, "delayed": true} {
			t.Run(kind+", "+name, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, kind, func(o *node.Options) { o.Rules, o.DelayUpdates = nodetest.Rules(t, own...), delay })
				n.write("f", "d/f", "d/g", ".inosyncd-partial/of the source")
				n.full()
				n.plant(left...)
				n.plant("cache/.inosyncd-partial/kept", "x.log")
				n.write("d/f=changed", "d/h")
				n.must(set("ic d/h", "a d"))
				n.has(true, ".inosyncd-partial/gone", "d/.inosyncd-partial/gone", "cache/.inosyncd-partial/kept")
				n.has(false, "d/.gone.A1b2C3") // like anything that the source does not have

				n.write("d/g=changed", "d/i")
				if res := n.must(set("a ")); res.Deleted != 1 {
					t.Errorf("Push: got %d removed, want 1, the temporary file", res.Deleted)
				}
				n.equal()
				n.has(false, append(left, ".inosyncd-partial", "d/.inosyncd-partial", ".inosyncd-partial/of the source")...)
				n.has(true, "cache/.inosyncd-partial/kept", "x.log") // excluded: not ours to touch
			})
		}
	}
}

// Without partial files, what is delayed has a directory of rsync's own.
func TestDelayedLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.DelayUpdates, o.Partial = true, false })
	n.write("d/f")
	n.full()
	n.plant("d/.~tmp~/gone")
	n.must(set("a "))
	n.has(false, "d/.~tmp~")
}

// The comparison that sweeps makes use of a partial file first.
func TestSweepResumes(t *testing.T) {
	t.Parallel()
	n := newNode(t, "daemon")
	content := make([]byte, 2<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	n.do(os.WriteFile(n.src+"/f", content, 0o644))
	n.plant(".inosyncd-partial/f=" + string(content[:len(content)*9/10]))
	if res := n.must(set("a ")); res.Bytes > int64(len(content)/2) {
		t.Errorf("Push: got %d bytes sent, want a good tenth of %d", res.Bytes, len(content))
	}
	if got, err := os.ReadFile(n.dst + "/f"); err != nil || !bytes.Equal(got, content) {
		t.Errorf("f on the node: got %d bytes, %v, want the source's", len(got), err)
	}
	n.has(false, ".inosyncd-partial")
}

// What nothing is removed from, or what is only compared, is not swept.
func TestLeftoversStay(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.Delete = false })
	n.write("f")
	n.plant(".inosyncd-partial/gone", ".f.A1b2C3")
	n.must(set("a "))
	n.has(true, ".inosyncd-partial/gone", ".f.A1b2C3")
	n.options().Delete = true
	if got := strings.Join(n.verify(), " "); got != `".f.A1b2C3": extra` {
		t.Errorf("Verify: got %s, want the temporary file", got)
	}
	n.has(true, ".inosyncd-partial/gone", ".f.A1b2C3")
}
