package rsync

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/change"
)

// Tens of thousands of files that their writers still have open are left out of
// comparisons, whatever they are called, and on the node left alone.
func TestManyHeld(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, kind)
			held := []string{"d/star*", "d/a]b[c]", `d/back\slash`, "d/new\nline", "d/# hash", "d/- minus", "d/ \xff "}
			n.write(append(held, "d/f", "d/sub/g", "d/starry", "h")...)
			for i := range 20_000 {
				held = append(held, fmt.Sprintf("d/held %05d", i)+strings.Repeat("x", 100))
			}
			held = append(held, "d/on the node")
			n.plant("d/on the node")
			for _, s := range []*change.Set{set("a d"), set("a ")} {
				for _, name := range held {
					s.Add(name, change.Held, someTime)
				}
				n.must(s)
				n.has(true, "d/f", "d/sub/g", "d/starry", "d/on the node")
				n.has(s.IsFull(), "h")
				n.has(false, held[:7]...)
			}
			n.must(set("a "))
			n.equal()
		})
	}
}

// The rsync of another user gets to know what is held, too.
func TestHeldAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to run rsync as another user")
	}
	n := newNode(t, "local", func(o *node.Options) { o.User, o.Owner, o.Group, o.Archive = "nobody", false, false, false })
	for dir := n.dst; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		n.do(os.Chmod(dir, 0o755))
	}
	n.do(os.Chown(n.dst, 65534, 65534))
	n.write("d/f", "d/open")
	n.must(set("a d", "h d/open"))
	n.has(true, "d/f")
	n.has(false, "d/open")
}
