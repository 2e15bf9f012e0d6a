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
	all = all || o != nil && o.mark&AllBelow != 0
	for name, kid := range n.kids {
		var other *node
		if o != nil {
			other = o.kids[name]
		}
		if other == nil && !all {
			continue
		}
		if all {
			kid.mark &^= Held
		}
		s.release(kid, other, all)
		if kid.mark == 0 && len(kid.kids) == 0 {
			delete(n.kids, name)
			s.nodes--
		}
	}
}
