package importer

import (
	"regexp"
	"strings"
)

// kind is the kind of a value of either language.
type kind string

const (
	nothing kind = "nothing" // None, nil
	boolean kind = "boolean"
	number  kind = "number"
	str     kind = "string"
	name    kind = "name" // an identifier that stands for itself
	table   kind = "table"
)

// value is a literal value and where it stands.
type value struct {
	line   int
	kind   kind
	text   string  // as written; the content of a string
	items  []value // of a table, those without a key
	fields []field // of a table, those with one, in order
}

type field struct {
	key string
	value
}

func (v value) isText() bool { return v.kind == str || v.kind == name }

// truth is the value of a boolean. Lua and Python spell it with another case.
func (v value) truth() bool { return strings.EqualFold(v.text, "true") }

// texts are the strings of a string or of a table of nothing but strings.
func (v value) texts() (list []string, ok bool) {
	if v.isText() {
		return []string{v.text}, true
	}
	for _, item := range v.items {
		if !item.isText() {
			return nil, false
		}
		list = append(list, item.text)
	}
	return list, v.kind == table && len(v.fields) == 0
}

// token is a word of either language.
type token struct {
	kind   tokenKind
	text   string // the content of a string
	line   int    // from 1
	margin bool   // it is the first of its line and not indented
}

type tokenKind int

const (
	tokenEnd    tokenKind = iota // of the file
	tokenLine                    // end of a statement in Python
	tokenName                    // with its dots
	tokenNumber                  // without sign
	tokenString
	tokenSign // one character, or Lua's ..
	tokenBad  // what the language does not have
)

// scanner takes text apart. The languages share names and numbers.
type scanner struct {
	text  string
	at    int
	line  int
	depth int // of brackets
}

func (s *scanner) rest() string { return s.text[s.at:] }

// skip passes over n bytes.
func (s *scanner) skip(n int) string {
	passed := s.text[s.at : s.at+n]
	s.line += strings.Count(passed, "\n")
	s.at += n
	return passed
}

// until passes over everything up to end, and over end. found is false when
// there is none: the text ends before.
func (s *scanner) until(end string) (passed string, found bool) {
	n := strings.Index(s.rest(), end)
	if n < 0 {
		return s.skip(len(s.rest())), false
	}
	passed = s.skip(n)
	s.skip(len(end))
	return passed, true
}

var (
	names   = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*`)
	numbers = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?`)
)

// plain reads a token that both languages have; s is not at the end.
func (s *scanner) plain() token {
	t := token{line: s.line, margin: s.at == 0 || s.text[s.at-1] == '\n'}
	c := s.text[s.at]
	switch {
	case letter(c):
		t.kind, t.text = tokenName, s.skip(len(names.FindString(s.rest())))
	case digit(c):
		t.kind, t.text = tokenNumber, s.skip(len(numbers.FindString(s.rest())))
	default:
		t.kind, t.text = tokenSign, s.skip(1)
		s.depth += map[byte]int{'(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1}[c]
	}
	return t
}

func (s *scanner) run(in func(byte) bool) string {
	n := 0
	for n < len(s.rest()) && in(s.rest()[n]) {
		n++
	}
	return s.skip(n)
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': `\`, '\'': "'", '"': `"`, '\n': "\n"}

// quoted reads what follows an opening quote up to end. ok is false when the
// string does not end, or holds an escape that is not read here.
func (s *scanner) quoted(end string, raw, lines bool) (text string, ok bool) {
	var b strings.Builder
	ok = true
	for s.at < len(s.text) {
		switch {
		case strings.HasPrefix(s.rest(), end):
			s.skip(len(end))
			return b.String(), ok
		case s.text[s.at] == '\n' && !lines:
			return "", false
		case s.text[s.at] != '\\' || raw || len(s.rest()) < 2:
			b.WriteString(s.skip(1))
		default:
			escaped, known := escapes[s.text[s.at+1]]
			ok = ok && known
			b.WriteString(escaped)
			s.skip(2)
		}
	}
	return "", false
}
