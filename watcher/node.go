package watcher

import (
	"slices"
	"strings"
)

// node is a directory of the tree of directories that a model keeps. There
// are as many nodes as directories, so a node is small: about 80 bytes, its
// name, and its places in kids and in the model's table of watches.
//
// A node is known by the inode it stands for, never by its path: that follows
// from where the node hangs at the moment.
type node struct {
	parent   *node // nil at the root, and where a subtree was cut off
	name     string
	kids     []*node // sorted by name
	dev, ino uint64
	wd       int32 // inotify's watch descriptor; 0 when not watched
}

// find returns where in kids name is, or would be.
func (n *node) find(name string) (int, bool) {
	return slices.BinarySearchFunc(n.kids, name, func(kid *node, name string) int {
		return strings.Compare(kid.name, name)
	})
}

// kid returns the directory called name in n, nil when there is none.
func (n *node) kid(name string) *node {
	if i, ok := n.find(name); ok {
		return n.kids[i]
	}
	return nil
}

// link hangs kid, which hangs nowhere, into n as name, which is free.
func (n *node) link(kid *node, name string) {
	i, _ := n.find(name)
	n.kids = slices.Insert(n.kids, i, kid)
	kid.parent, kid.name = n, name
}

// unlink cuts n off its parent, if it has one.
func (n *node) unlink() {
	if n.parent == nil {
		return
	}
	if i, ok := n.parent.find(n.name); ok {
		n.parent.kids = slices.Delete(n.parent.kids, i, i+1)
	}
	if len(n.parent.kids) == 0 {
		n.parent.kids = nil
	}
	n.parent = nil
}

// below reports whether n is top or hangs somewhere below it.
func (n *node) below(top *node) bool {
	for ; n != nil; n = n.parent {
		if n == top {
			return true
		}
	}
	return false
}

// appendPath appends the path of n from the topmost node it hangs under.
func (n *node) appendPath(b []byte) []byte {
	if n.parent == nil {
		return b
	}
	b = n.parent.appendPath(b)
	if len(b) > 0 {
		b = append(b, '/')
	}
	return append(b, n.name...)
}

// walk calls visit for n and every node below it, kids first.
func (n *node) walk(visit func(*node)) {
	for _, kid := range n.kids {
		kid.walk(visit)
	}
	visit(n)
}
