package filter

import (
	"math/rand/v2"
	"strings"
)

// random makes trees and rules that have a good chance to meet each other.
type random struct{ *rand.Rand }

func newRandom(seed, stream uint64) random {
	return random{rand.New(rand.NewPCG(seed, stream))}
}

func pick[T any](r random, from []T) T { return from[r.IntN(len(from))] }

func (r random) chance(percent int) bool { return r.IntN(100) < percent }

var (
	// Names of few letters meet patterns often.
	plainBytes = []byte("aaaabbbbccAB019")
	oddBytes   = []byte("*?[]\\-!^ \n\t\r\xff\xc3\xa9#;+.:_,=~'\"$|")
	oddNames   = []string{
		"- a", "+ a", "!", "! a", "#a", ";a", "-a", "--a", "[a]", "a]b", `a\`, `\a`, `\*`, "a*", "**", "***", "a?",
		" ", " a", "a ", "P a", ": a", ".a", "...", "a\nb", "\xff\xfe", "é", "日本", "[[:alpha:]]", "{a,b}", "a.b", "a.b.c",
	}
	classes = []string{
		"alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit",
	}
	// What patterns are made of that follow no name.
	pieces = []string{
		"*", "*", "**", "***", "?", "/", "/", "//", "a", "b", "c", "ab", ".", "..", "-", "!", "^", "]", "[", `\`, `\\`, `\*`, `\[`,
		`\/`, "[a", "[a]", "[!a]", "[]", "[]]", "[]a]", "[^]a]", "[!]", "[a-c]", "[c-a]", "[a-]", "[-a]", "[--a]", "[a-c-e]", `[\a-c]`,
		`[a-\c]`, `[\]]`, `[a\`, `[a/]`, "[/]", "[[]", "[[:alpha:]]", "[[:digit:]-a]", "[a-[:digit:]]", "[[:bogus:]]", "[[:alpha]",
		"[[:]", "[[::]]", "[[:alpha:][:digit:]]", "[![:upper:]]", "[**]", "[:alpha:]", "\xff", "é",
	}
)

func (r random) name() string {
	for {
		name := pick(r, oddNames)
		if r.chance(75) {
			b := make([]byte, 1+r.IntN(3))
			for i := range b {
				if b[i] = pick(r, plainBytes); r.chance(15) {
					b[i] = pick(r, oddBytes)
				}
			}
			name = string(b)
		}
		if name != "." && name != ".." {
			return name
		}
	}
}

func (r random) tree(size int) tree {
	var tr tree
	seen, dirs := map[string]bool{}, []string{""}
	for range size {
		path := pick(r, dirs) + r.name()
		if seen[path] {
			continue
		}
		seen[path] = true
		e := entry{path, 'f'}
		switch n := r.IntN(100); {
		case n < 45 && strings.Count(path, "/") < 4:
			e.kind = 'd'
			dirs = append(dirs, path+"/")
		case n < 50:
			e.kind = 'l'
		}
		tr = append(tr, e)
	}
	return tr
}

// part returns about three quarters of tr, with the parents of all it has.
func (r random) part(tr tree) tree {
	var some tree
	have := map[string]bool{"": true}
	for _, e := range tr {
		if have[parent(e.path)] && r.chance(80) {
			have[e.path] = true
			some = append(some, e)
		}
	}
	return some
}

// lines returns rules for a tree, one to six. Clearing the list is among them
// only when it is asked for.
func (r random) lines(tr tree, clearing bool) []Line {
	lines := make([]Line, 1+r.IntN(6))
	for i := range lines {
		text := r.pattern(tr)
		for text == "" {
			text = r.pattern(tr)
		}
		prefix := pick(r, []string{"", "- ", "+ "})
		if _, fault := parseLine(Line{Text: prefix + text}); fault != "" || text == "!" {
			prefix = "- " // it would be read as another kind of rule
		}
		lines[i].Text = prefix + text
		if clearing && r.chance(3) {
			lines[i].Text = "!"
		}
	}
	return lines
}

func (r random) pattern(tr tree) string {
	var b strings.Builder
	if r.chance(20) || len(tr) == 0 {
		for range 1 + r.IntN(5) {
			b.WriteString(pick(r, pieces))
		}
		return b.String()
	}
	e := pick(r, tr)
	path := e.path
	for r.chance(40) && strings.Contains(path, "/") {
		_, path, _ = strings.Cut(path, "/")
	}
	b.WriteString(pick(r, []string{"", "", "", "/", "/", "**/", "**", "*/", "./", "/**/", "*"}))
	if b.Len() > 0 && r.chance(50) {
		b.Reset()
	}
	r.disguise(&b, path)
	if e.dir() && r.chance(30) || r.chance(8) {
		b.WriteString("/")
	}
	if r.chance(12) {
		b.WriteString(pick(r, []string{"/**", "/***", "/*", "**", "***", "//", "/***/", `\`}))
	}
	return b.String()
}

// disguise writes a pattern that may well match text.
func (r random) disguise(b *strings.Builder, text string) {
	literal := r.chance(25)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch n := r.IntN(100); {
		case literal || c == '/' && n < 85:
			b.WriteByte(c)
		case n < 12:
			b.WriteByte('?')
		case n < 40:
			r.set(b, c)
		case n < 48:
			b.WriteString("*")
			i += r.IntN(3) - 1
		case n < 52:
			b.WriteString("**")
			i += r.IntN(5) - 1
		case strings.IndexByte(`*?[]\`, c) >= 0 && n < 85 || n < 57:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
		i = max(i, 0)
		if b.Len() > 200 { // a star that took nothing, again and again
			return
		}
	}
}

// set writes a set that may well hold c.
func (r random) set(b *strings.Builder, c byte) {
	b.WriteByte('[')
	b.WriteString(pick(r, []string{"", "", "", "", "!", "^", "]", "!]", "-", "^-"}))
	for range 1 + r.IntN(3) {
		d := c
		if r.chance(40) {
			d = pick(r, pick(r, [][]byte{plainBytes, oddBytes}))
		}
		switch r.IntN(9) {
		case 0, 1:
			b.WriteByte(d)
		case 2:
			b.WriteByte('\\')
			b.WriteByte(d)
		case 3:
			b.Write([]byte{d - byte(r.IntN(3)), '-', d | byte(r.IntN(4))})
		case 4:
			b.Write([]byte{'\\', d, '-', '\\', d | byte(r.IntN(4))})
		case 5, 6:
			b.WriteString("[:" + pick(r, classes) + ":]")
		case 7:
			b.WriteString(pick(r, []string{"[", "-", "[:", "[:bogus:]", "/", "[:alpha:", ":]", "[:]", "--"}))
		default:
			b.WriteByte(c)
		}
	}
	if r.chance(97) {
		b.WriteByte(']')
	}
}
