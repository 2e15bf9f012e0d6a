package filter

import (
	"slices"
	"strings"
)

// wildcards are the bytes that make a pattern more than a string. Without one
// of them a backslash is a byte like any other.
const wildcards = "*?["

// pattern is a pattern in the form in which it is matched.
type pattern struct {
	text string // as it was given, for rsync
	kind kind

	literal string // literal: what is compared; otherwise what the last component ends with
	glob    glob   // wild

	dirOnly bool // a trailing slash: directories only
	last    int  // components, from the end, that are matched; 0: the path from its start
	lead    bool // wild: the subject gets a slash in front
	trail   bool // wild: the subject of a directory gets a slash behind
}

type kind uint8

const (
	wild    kind = iota // a glob
	literal             // no wildcards
	suffix              // "*" and a literal, for the last component
	never               // matches nothing
)

// compile reads a pattern. Every text is a pattern, though some never match.
func compile(text string) pattern {
	p := pattern{text: text}
	if len(text) > 1 && text[len(text)-1] == '/' {
		p.dirOnly = true
		text = text[:len(text)-1]
	}
	isWild := strings.ContainsAny(text, wildcards)
	// rsync looks for "**" in the text: "[**]" and "\**" count as well.
	crosses := isWild && strings.Contains(text, "**")
	p.trail = isWild && strings.HasSuffix(text, "***")

	text, anchored := strings.CutPrefix(text, "/")
	if !anchored && !crosses {
		p.last = 1 + strings.Count(text, "/")
	}
	tokens, ok := literalGlob(text), true
	if isWild {
		tokens, ok = parseGlob(text)
	}
	// A slash in a set counts for the components, but no set matches one.
	if !ok || tokens.impossible() || p.last > 0 && p.last != 1+tokens.slashes() {
		p.kind = never
		return p
	}
	if !isWild {
		p.kind, p.literal = literal, text
		return p
	}
	p.glob, p.literal = tokens, tokens.tail()
	if p.last == 1 && tokens[0].kind == star && len(p.literal) == len(tokens)-1 {
		p.kind = suffix
	}
	if crosses && !anchored {
		p.float()
	}
	return p
}

// float prepares a glob with "**" that is not anchored.
func (p *pattern) float() {
	// The subject of an unanchored "**" has a slash in front, so that "**/x"
	// matches x. Where the "**" is further in, the match may start at any
	// component, which is the same as having "**/" in front.
	p.lead = true
	if !strings.HasPrefix(p.text, "**") {
		p.glob = slices.Concat(glob{{kind: starStar}, {kind: exact, b: '/'}}, p.glob)
	}
}

// matches reports whether p matches path, which is not "". name is its last
// component, which most rules are about.
func (p *pattern) matches(path, name string, dir bool) bool {
	if p.dirOnly && !dir {
		return false
	}
	switch p.kind {
	case literal:
		return p.matchesLiteral(path, name)
	case suffix:
		return strings.HasSuffix(name, p.literal)
	case wild:
		return strings.HasSuffix(name, p.literal) && p.matchesGlob(path, name, dir)
	default:
		return false
	}
}

func (p *pattern) matchesLiteral(path, name string) bool {
	switch {
	case p.last == 1:
		return p.literal == name
	case p.last == 0 || len(p.literal) >= len(path):
		return p.literal == path
	default:
		return strings.HasSuffix(path, p.literal) && path[len(path)-len(p.literal)-1] == '/'
	}
}

func (p *pattern) matchesGlob(path, name string, dir bool) bool {
	subject := name
	switch p.last {
	case 0:
		subject = path
	case 1:
	default:
		subject = lastComponents(path, p.last)
	}
	start, end := 0, len(subject)
	if p.lead {
		start--
	}
	if p.trail && dir {
		end++
	}
	return p.glob.match(subject, start, end)
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// lastComponents returns the last n components of path, or all there are: a
// glob that asks for n of them does not match fewer.
func lastComponents(path string, n int) string {
	at := len(path)
	for range n {
		if at = strings.LastIndexByte(path[:at], '/'); at < 0 {
			break
		}
	}
	return path[at+1:]
}
