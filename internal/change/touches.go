package change

import "strings"

// Touches reports whether something in the set concerns path: path itself, a
// directory above it that may be gone or is to be compared whole, or anything
// below it. That the root differs in itself concerns only the root.
func (s *Set) Touches(path string) bool {
	n := &s.root
	for rest := path; rest != ""; {
		if n.mark&AllBelow != 0 || n != &s.root && n.mark&Itself != 0 {
			return true
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if n = n.kids[name]; n == nil {
			return false
		}
	}
	return n.touched()
}

func (n *node) touched() bool {
	if n.mark&(Itself|AllBelow) != 0 {
		return true
	}
	for _, kid := range n.kids {
		if kid.touched() {
			return true
		}
	}
	return false
}
