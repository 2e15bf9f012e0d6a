package change

// bound folds a set that has outgrown its limit. It folds down to three quarters, so
// that the cost of finding what to fold is spread over many additions.
func (s *Set) bound() {
	limit := s.limit
	if limit == 0 {
		limit = DefaultLimit
	}
	if s.nodes <= limit {
		return
	}
	for s.nodes > limit*3/4 {
		s.fold(&s.root, s.root.height())
	}
}

// height is the number of levels below n.
func (n *node) height() int {
	h := 0
	for _, kid := range n.kids {
		h = max(h, 1+kid.height())
	}
	return h
}

// fold gives AllBelow to the nodes one level above the deepest, which is depth
// levels below n, and drops what they had below them.
func (s *Set) fold(n *node, depth int) {
	if depth > 1 {
		for _, kid := range n.kids {
			s.fold(kid, depth-1)
		}
		return
	}
	if len(n.kids) == 0 {
		return
	}
	for _, kid := range n.kids {
		s.nodes--
		n.date(kid.since)
		if kid.mark&(Itself|AllBelow) != 0 {
			s.len--
		}
	}
	n.kids = nil
	if n.mark&(Itself|AllBelow) == 0 {
		s.len++
	}
	n.mark = (n.mark | Itself | AllBelow) &^ Held
}
