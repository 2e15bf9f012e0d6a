package rsync

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/push"
)

// A node that is full gets room by the removal of what is gone, although sends
// come first. What is moved is sent as soon as it fits.
func TestFullNodeIsFreed(t *testing.T) {
	t.Parallel()
	large := "=" + strings.Repeat("x", 600_000)
	tests := map[string]struct {
		change func(n *mirror)
		marks  []string
	}{
		"removed": {func(n *mirror) { n.remove("old"); n.write("new" + large) }, []string{"ic new", "i old"}},
		"moved":   {func(n *mirror) { n.rename("old", "new") }, []string{"i new", "i old"}},
		"directories moved": {
			func(n *mirror) { n.remove("old"); n.write("d/old" + large); n.rename("d", "e") },
			[]string{"ia e", "i d", "i old"},
		},
		"removed below a whole": {func(n *mirror) { n.remove("d/old"); n.write("d/new" + large) }, []string{"ia d"}},
		"whole":                 {func(n *mirror) { n.remove("old", "d"); n.write("new" + large) }, []string{"a "}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local")
			n.smallDisk("size=1m")
			where := "old"
			if name == "removed below a whole" {
				where = "d/old"
			}
			n.write(where+large, "d/kept")
			n.full()
			tt.change(n)
			n.must(set(tt.marks...))
			n.equal()
		})
	}
}

// Nothing is removed from a full node that is not to be removed.
func TestFullNodeKeeps(t *testing.T) {
	t.Parallel()
	large := "=" + strings.Repeat("x", 600_000)
	for name, change := range map[string]func(*node.Options){
		"delete: false": func(o *node.Options) { o.Delete = false },
		"max_delete":    func(o *node.Options) { o.MaxDelete = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local", change)
			n.smallDisk("size=1m")
			n.write("old"+large, "old2")
			n.full()
			n.remove("old", "old2")
			n.write("new" + large)
			for _, marks := range [][]string{{"ic new", "i old", "i old2"}, {"a "}} {
				res := n.Push(t.Context(), set(marks...))
				if res.Outcome != push.Again || res.Deleted != 0 || !strings.Contains(res.Cure, "room") {
					t.Errorf("Push(%q): got %v, %d removed, cure %q; want again, none, room", marks, res.Outcome, res.Deleted, res.Cure)
				}
				n.has(true, "old", "old2")
			}
		})
	}
}

// A node without a free inode says so in another way: rsync goes on.
func TestNodeWithoutInodes(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.smallDisk("size=1m,nr_inodes=5")
	n.write("a", "b", "c")
	n.full()
	n.remove("a", "b")
	n.write("d/e")
	for range 2 {
		n.age()
		if res := n.Push(t.Context(), set("ia d", "i a", "i b")); res.Outcome == push.Done {
			n.equal()
			return
		}
	}
	t.Error("the node was not freed by two pushes")
}

// smallDisk puts the node on a file system of its own.
func (n *mirror) smallDisk(options string) {
	n.t.Helper()
	if err := unix.Mount("tmpfs", n.dst, "tmpfs", 0, options); err != nil {
		n.t.Skipf("needs to mount a tmpfs: %v", err)
	}
	n.t.Cleanup(func() { n.do(unix.Unmount(n.dst, unix.MNT_DETACH)) })
	info, err := os.Stat(n.src)
	n.do(err)
	n.do(os.Chmod(n.dst, info.Mode()))
	if entries, err := filepath.Glob(n.dst + "/*"); err != nil || len(entries) > 0 {
		n.t.Fatalf("the new file system: got %q, %v, want it empty", entries, err)
	}
}

// A push that breaks off for another reason removes nothing to make room: what
// was moved would be nowhere.
func TestBrokenPushMakesNoRoom(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f")
	n.full()
	n.rename("f", "g")
	nodetest.Wrap(t, `case "$*" in *--version*|*--delete-missing-args*) exec RSYNC;; esac; exit 12`)(n.options())
	if res := n.Push(t.Context(), set("i f", "ic g")); res.Outcome != push.Again {
		t.Errorf("Push: got %v, %v; want again", res.Outcome, res.Err)
	}
	n.has(true, "f")
}
