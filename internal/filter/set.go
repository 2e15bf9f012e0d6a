package filter

import "strings"

// byteSet is a set of bytes, one bit each.
type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c/64]&(1<<(c%64)) != 0 }
func (s *byteSet) add(c byte)      { s[c/64] |= 1 << (c % 64) }

// addRange adds the bytes from low to high, none when high is below low.
func (s *byteSet) addRange(low, high byte) {
	for c := int(low); c <= int(high); c++ {
		s.add(byte(c))
	}
}

// parseSet reads a set behind its '[' and returns how many bytes it took. ok is
// false when it has no end or names an unknown class. The corners are those of
// wildmatch in rsync 3.5.0.
func parseSet(text string) (set *byteSet, n int, ok bool) {
	set = new(byteSet)
	i := 0
	negated := text != "" && (text[0] == '!' || text[0] == '^')
	if negated {
		i++
	}
	low, hasLow := byte(0), false // where a range could start
	for first := i; i < len(text); i++ {
		c := text[i]
		switch {
		case c == ']' && i > first:
			set.finish(negated)
			return set, i + 1, true
		case c == '\\':
			if i++; i == len(text) {
				return nil, 0, false
			}
			low, hasLow = text[i], true
			set.add(low)
		case c == '-' && hasLow && i+1 < len(text) && text[i+1] != ']':
			if i++; text[i] == '\\' {
				i++
			}
			if i == len(text) {
				return nil, 0, false
			}
			set.addRange(low, text[i])
			hasLow = false
		case strings.HasPrefix(text[i:], "[:"):
			name, found := className(text[i+2:])
			if !found {
				low, hasLow = c, true
				set.add(low)
				continue
			}
			if !set.addClass(name) {
				return nil, 0, false
			}
			i += len("[:") + len(name) + len(":]") - 1
			hasLow = false
		default:
			low, hasLow = c, true
			set.add(low)
		}
	}
	return nil, 0, false
}

// finish makes of what was listed what is matched: never a slash.
func (s *byteSet) finish(negated bool) {
	if negated {
		for i := range s {
			s[i] = ^s[i]
		}
	}
	s['/'/64] &^= 1 << ('/' % 64)
}

// className cuts the name from text, which stands behind "[:". Where the next
// ']' has no ':' before it there is no class.
func className(text string) (name string, ok bool) {
	name, _, _ = strings.Cut(text, "]")
	return strings.CutSuffix(name, ":")
}

// addClass adds a POSIX class as it is in the C locale; ok is false when there
// is no class of that name.
func (s *byteSet) addClass(name string) (ok bool) {
	switch name {
	case "alnum":
		return s.addClass("alpha") && s.addClass("digit")
	case "alpha":
		return s.addClass("upper") && s.addClass("lower")
	case "blank":
		s.add(' ')
		s.add('\t')
	case "cntrl":
		s.addRange(0, ' '-1)
		s.add(0x7f)
	case "digit":
		s.addRange('0', '9')
	case "graph":
		s.addRange('!', '~')
	case "lower":
		s.addRange('a', 'z')
	case "print":
		s.addRange(' ', '~')
	case "punct":
		s.addRange('!', '/')
		s.addRange(':', '@')
		s.addRange('[', '`')
		s.addRange('{', '~')
	case "space":
		s.addRange('\t', '\r')
		s.add(' ')
	case "upper":
		s.addRange('A', 'Z')
	case "xdigit":
		s.addRange('a', 'f')
		s.addRange('A', 'F')
		return s.addClass("digit")
	default:
		return false
	}
	return true
}
