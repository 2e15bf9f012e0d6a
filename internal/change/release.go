package change

// Release ends every hold in s that o, the newer set, knows nothing of although
// it covers the path. For sets that come from one queue that is right: whatever
// such a set covers and was open when it was handed out is marked Held in it.
// It comes before a Merge of the two, and makes good for a release that was
// folded into an AllBelow of o, which Merge alone would not see.
func (s *Set) Release(o *Set) {
	if o != nil {
		s.release(&s.root, &o.root, false)
	}
}

func (s *Set) release(n, o *node, all bool) {
	if all = all || o.mark&AllBelow != 0; !all {
		for name, other := range o.kids { // few, where n has many
			if kid := n.kids[name]; kid != nil {
				s.release(kid, other, false)
				s.drop(n, name, kid)
			}
		}
		return
	}
	for name, kid := range n.kids {
		kid.mark &^= Held
		other := o.kids[name]
		if other == nil {
			other = &nothing
		}
		s.release(kid, other, true)
		s.drop(n, name, kid)
	}
}

// nothing is what a set knows of a path that it does not have.
var nothing node

// drop drops a node that says nothing any more.
func (s *Set) drop(n *node, name string, kid *node) {
	if kid.mark == 0 && len(kid.kids) == 0 {
		delete(n.kids, name)
		s.nodes--
	}
}
