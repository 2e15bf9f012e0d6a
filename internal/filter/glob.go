package filter

import "slices"

// glob is a sequence of tokens that has to match a subject from its start to
// its end.
type glob []token

type token struct {
	kind tokenKind
	b    byte     // exact
	set  *byteSet // oneOf
}

type tokenKind uint8

const (
	exact    tokenKind = iota // the byte b
	anyByte                   // "?": a byte but '/'
	oneOf                     // "[...]": a byte of the set
	star                      // "*": any bytes but '/'
	starStar                  // "**": any bytes
)

// parseGlob reads a pattern that has wildcards. ok is false for what rsync
// never matches: a set without end, an unknown class, a backslash at the end.
func parseGlob(text string) (g glob, ok bool) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '*':
			g = append(g, token{kind: star})
			for ; i+1 < len(text) && text[i+1] == '*'; i++ {
				g[len(g)-1].kind = starStar
			}
		case '?':
			g = append(g, token{kind: anyByte})
		case '[':
			set, n, ok := parseSet(text[i+1:])
			if !ok {
				return nil, false
			}
			g = append(g, token{kind: oneOf, set: set})
			i += n
		case '\\':
			if i++; i == len(text) {
				return nil, false
			}
			g = append(g, token{b: text[i]})
		default:
			g = append(g, token{b: c})
		}
	}
	return g, true
}

func literalGlob(text string) glob {
	g := make(glob, len(text))
	for i := range len(text) {
		g[i].b = text[i]
	}
	return g
}

// tail returns what the last component of all that g matches ends with.
func (g glob) tail() string {
	var b []byte
	for _, t := range slices.Backward(g) {
		if t.kind != exact || t.isSlash() {
			break
		}
		b = append(b, t.b)
	}
	slices.Reverse(b)
	return string(b)
}

func (t token) isSlash() bool { return t.kind == exact && t.b == '/' }

func (g glob) slashes() int {
	n := 0
	for _, t := range g {
		if t.isSlash() {
			n++
		}
	}
	return n
}

// impossible reports whether g asks for what no path has: a byte of an empty
// set, or a component that is "", "." or "..".
func (g glob) impossible() bool {
	dots, other := 0, false
	for _, t := range g {
		switch {
		case t.kind == oneOf && *t.set == byteSet{}:
			return true
		case !t.isSlash():
			if t.kind == exact && t.b == '.' {
				dots++
			} else {
				other = true
			}
		case !other && dots <= 2:
			return true
		default:
			dots, other = 0, false
		}
	}
	return !other && dots <= 2
}

// match reports whether g matches the subject, which is s from start to end:
// start may be -1 and end len(s)+1 for a slash that s does not have.
//
// After a mismatch only the last star, or else the last starStar, needs to try
// again one byte further on: what an earlier one could reach, a later one
// reaches too. So there is no recursion, and no pattern takes exponential time.
func (g glob) match(s string, start, end int) bool {
	at, next := start, 0 // the next byte and the next token
	var narrow, wide retry
	for at < end || next < len(g) {
		if next < len(g) {
			t := &g[next]
			switch {
			case t.kind == star:
				next++
				narrow = retry{at, next}
				continue
			case t.kind == starStar:
				next++
				narrow, wide = retry{}, retry{at, next}
				continue
			case at == end:
				return false // and a retry would have still less left
			case t.accepts(byteAt(s, at)):
				at, next = at+1, next+1
				continue
			}
		}
		switch {
		case narrow.next > 0 && byteAt(s, narrow.at) != '/':
			narrow.at++
			at, next = narrow.at, narrow.next
		case wide.next > 0:
			wide.at++
			at, next, narrow = wide.at, wide.next, retry{}
		default:
			return false
		}
	}
	return true
}

// retry is where to go on when a star takes one more byte: the token after it
// and the first byte it has not taken. There is none while next is 0.
type retry struct{ at, next int }

func byteAt(s string, i int) byte {
	if uint(i) < uint(len(s)) {
		return s[i]
	}
	return '/'
}

func (t *token) accepts(c byte) bool {
	switch t.kind {
	case exact:
		return c == t.b
	case anyByte:
		return c != '/'
	default:
		return t.set.has(c)
	}
}
