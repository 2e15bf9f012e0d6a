package rsync

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/lab"
)

// changes are what may happen to a tree between two pushes, and what the
// events of it mark.
var changes = []struct {
	name   string
	before func(n *mirror)
	change func(n *mirror)
	marks  []string
}{
	{"nothing", nil, func(*mirror) {}, []string{"i "}},
	{"new file", nil, func(n *mirror) { n.write("f") }, []string{"ic f"}},
	{"new empty file", nil, func(n *mirror) { n.write("f=") }, []string{"i f"}},
	{"new file deep in new directories", nil, func(n *mirror) { n.write("a/b/c/f") }, []string{"ic a/b/c/f"}},
	{"new directory", nil, func(n *mirror) { n.write("a/b/c/f", "a/g") }, []string{"ia a"}},
	{"new directory and files elsewhere", func(n *mirror) { n.write("x/f", "x/keep", "y/g", "z/z/h") }, func(n *mirror) {
		n.write("x/new/f", "x/f=changed", "y/i", "top")
		n.do(os.Chmod(filepath.Join(n.src, "z/z"), 0o700))
		n.do(os.Chmod(n.src, 0o700))
	}, []string{"i ", "ia x/new", "ic x/f", "ic y/i", "i z/z", "ic top"}},
	{"changed file", func(n *mirror) { n.write("d/f") }, func(n *mirror) { n.write("d/f=other content") }, []string{"ic d/f"}},
	{"appended and truncated", func(n *mirror) { n.write("f=abc", "g=abc") }, func(n *mirror) { n.write("f=abcd", "g=") }, []string{"ic f", "ic g"}},
	{"mode of file", func(n *mirror) { n.write("f") }, func(n *mirror) { n.do(os.Chmod(n.src+"/f", 0o600)) }, []string{"i f"}},
	{"mode of directory", func(n *mirror) { n.write("d/f") }, func(n *mirror) { n.do(os.Chmod(n.src+"/d", 0o700)) }, []string{"i d"}},
	{"modes of directories", func(n *mirror) { n.write("d/f", "e/f") }, func(n *mirror) {
		for _, dir := range []string{"", "/d", "/e"} {
			n.do(os.Chmod(n.src+dir, 0o700))
		}
	}, []string{"i ", "i d", "i e"}},
	{"mode of root", func(n *mirror) { n.write("d/f") }, func(n *mirror) { n.do(os.Chmod(n.src, 0o711)) }, []string{"i "}},
	{"time of file", func(n *mirror) { n.write("f") }, func(n *mirror) {
		n.do(os.Chtimes(n.src+"/f", time.Unix(1e9, 1), time.Unix(1e9, 1)))
	}, []string{"i f"}},
	{"removed file", func(n *mirror) { n.write("d/f", "d/g") }, func(n *mirror) { n.remove("d/f") }, []string{"i d/f"}},
	{"removed at the root", func(n *mirror) { n.write("f", "g") }, func(n *mirror) { n.remove("f") }, []string{"i f"}},
	{"removed directory, not empty", func(n *mirror) { n.write("d/a/b/f", "d/g", "k") }, func(n *mirror) { n.remove("d") }, []string{"i d"}},
	{
		"removed directory, its parts marked", func(n *mirror) { n.write("d/a/b/f", "d/g", "k/f") }, func(n *mirror) { n.remove("d", "k/f") },
		[]string{"i d/a/b/f", "i d/a/b", "i d/a", "i d/g", "ic k/f"},
	},
	{"moved file", func(n *mirror) { n.write("d/f", "e/g") }, func(n *mirror) { n.rename("d/f", "e/f") }, []string{"i d/f", "i e/f"}},
	{"moved over another", func(n *mirror) { n.write("f", "g") }, func(n *mirror) { n.rename("f", "g") }, []string{"i f", "ic g"}},
	{"moved directory", func(n *mirror) { n.write("d/a/f", "d/g", "e/h") }, func(n *mirror) { n.rename("d", "e/d") }, []string{"i d", "ia e/d"}},
	{"file becomes directory", func(n *mirror) { n.write("x") }, func(n *mirror) { n.remove("x"); n.write("x/f") }, []string{"ia x"}},
	{"directory becomes file", func(n *mirror) { n.write("x/a/f", "x/g") }, func(n *mirror) { n.remove("x"); n.write("x") }, []string{"ic x"}},
	{
		"directory becomes file, its parts marked", func(n *mirror) { n.write("x/a/f", "x/g") }, func(n *mirror) { n.remove("x"); n.write("x") },
		[]string{"i x/a/f", "i x/g"},
	},
	{"directory becomes link", func(n *mirror) { n.write("x/a/f", "x/g", "y/z") }, func(n *mirror) { n.remove("x"); n.link("y", "x") }, []string{"i x"}},
	{"directory becomes link, a part marked", func(n *mirror) { n.write("x/z/f", "y/z/f") }, func(n *mirror) { n.remove("x"); n.link("y", "x") }, []string{"ic x/z/f"}},
	{"link becomes directory", func(n *mirror) { n.write("y/f"); n.link("y", "x") }, func(n *mirror) { n.remove("x"); n.write("x/g") }, []string{"ia x"}},
	{"link to directory becomes file", func(n *mirror) { n.write("y/f"); n.link("y", "x") }, func(n *mirror) { n.remove("x"); n.write("x") }, []string{"ic x"}},
	{"link points elsewhere", func(n *mirror) { n.link("/nowhere", "x") }, func(n *mirror) { n.remove("x"); n.link("/noplace", "x") }, []string{"i x"}},
	{"same size and time", func(n *mirror) { n.write("d/f=old", "g=old") }, func(n *mirror) { n.rewrite("d/f", "new"); n.rewrite("g", "NEW") }, []string{"ic d/f", "ic g"}},
	{"same size and time below a new directory", func(n *mirror) { n.write("d/f=old") }, func(n *mirror) { n.rewrite("d/f", "new") }, []string{"ia d", "c d/f"}},
	{"same size and time in a whole comparison", func(n *mirror) { n.write("d/f=old") }, func(n *mirror) { n.rewrite("d/f", "new") }, []string{"a ", "c d/f"}},
	{"same size and second", func(n *mirror) {
		n.write("f=old")
		n.do(os.Chtimes(n.src+"/f", time.Unix(1e9, 1), time.Unix(1e9, 1)))
	}, func(n *mirror) {
		n.write("f=new")
		n.do(os.Chtimes(n.src+"/f", time.Unix(1e9, 2), time.Unix(1e9, 2)))
	}, []string{"i f"}},
	{"new and gone again", nil, func(*mirror) {}, []string{"ic f", "ia d", "ic e/f"}},
	{"whole comparison", func(n *mirror) { n.write("a/b/f", "g", "h/i") }, func(n *mirror) {
		n.remove("a", "g")
		n.write("a", "g/new", "h/j")
	}, []string{"a "}},
}

func TestPush(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := newSite(t, kind)
			for _, tt := range changes {
				t.Run(tt.name, func(t *testing.T) {
					if kind == "ssh" && len(tt.marks) < 4 {
						t.Skip("like a local node's, and slower: ssh is tested with some")
					}
					n := p.node(t)
					n.write("other/file")
					if tt.before != nil {
						tt.before(n)
					}
					n.full()
					tt.change(n)
					n.must(set(tt.marks...))
					n.equal()
				})
			}
		})
	}
}

func TestPushNamesAsBytes(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, kind)
			var marks, below, dirs []string
			for _, name := range lab.OddNames() {
				n.write("d/" + name + "/in")
				n.do(os.WriteFile(filepath.Join(n.src, name), nil, 0o644))
				marks = append(marks, "ic "+name)
				below = append(below, "ic d/"+name+"/in")
				dirs = append(dirs, "ia d/"+name)
			}
			n.must(set(marks...))
			n.must(set(below...))
			n.equal()
			for _, name := range lab.OddNames() {
				n.remove(name)
				n.do(os.WriteFile(filepath.Join(n.src, "d", name, "too"), []byte("x"), 0o644))
			}
			n.must(set(slices.Concat(marks, dirs)...))
			n.equal()
			n.remove("d")
			n.must(set(below...))
			n.equal()
		})
	}
}
