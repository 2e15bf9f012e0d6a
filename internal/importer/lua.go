package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// call is a table that a Lua file hands to a name, as in sync{...}.
type call struct {
	name string
	value
}

// lua reads the tables of a Lua file.
type lua struct {
	scanner
	tok    token
	depths int
	vars   map[string]value
	calls  []call
	notes  []Note
}

func readLua(text string) *lua {
	l := &lua{scanner: scanner{text: text, line: 1}, vars: map[string]value{}}
	for l.next(); l.tok.kind != tokenEnd; {
		first := l.tok
		if l.sign(";") {
			l.next()
		} else if err := l.statement(); err != nil {
			l.notes = append(l.notes, *err)
			l.recover(first)
		}
	}
	return l
}

var longBracket = regexp.MustCompile(`^\[=*\[`)

func (l *lua) next() {
	for {
		l.run(func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 })
		rest := l.rest()
		if rest == "" {
			l.tok = token{kind: tokenEnd, line: l.line}
			return
		}
		if !strings.HasPrefix(rest, "--") {
			l.word()
			return
		}
		l.skip(2)
		if open := longBracket.FindString(l.rest()); open != "" {
			l.until(strings.ReplaceAll(open, "[", "]"))
		} else {
			l.run(func(c byte) bool { return c != '\n' })
		}
	}
}

// word reads a token that is neither space nor comment.
func (l *lua) word() {
	line, rest := l.line, l.rest()
	t := token{kind: tokenString, line: line}
	ok := true
	if open := longBracket.FindString(rest); open != "" {
		l.skip(len(open))
		t.text, ok = l.until(strings.ReplaceAll(open, "[", "]"))
		t.text = strings.TrimPrefix(t.text, "\n")
	} else if rest[0] == '"' || rest[0] == '\'' {
		l.skip(1)
		t.text, ok = l.quoted(rest[:1], false, false)
	} else if strings.HasPrefix(rest, "..") {
		t.kind, t.text = tokenSign, l.skip(2)
	} else {
		t = l.plain()
	}
	if !ok {
		t = token{kind: tokenBad, text: "a string that cannot be read", line: line}
	}
	l.tok = t
}

func (l *lua) sign(text string) bool { return l.tok.kind == tokenSign && l.tok.text == text }

func (l *lua) unreadable() *Note {
	switch l.tok.kind {
	case tokenBad:
		return &Note{l.tok.line, l.tok.text}
	case tokenEnd:
		return &Note{l.tok.line, "the file ends within a value"}
	}
	return &Note{l.tok.line, fmt.Sprintf("%q, which only running the file could tell", l.tok.text)}
}

// statement reads NAME = VALUE or NAME{...}.
func (l *lua) statement() *Note {
	if l.tok.kind == tokenName && l.tok.text == "local" {
		l.next()
	}
	to := l.tok
	if to.kind != tokenName || slices.Contains(blocks, to.text) {
		return l.unreadable()
	}
	l.next()
	paren := false
	switch {
	case l.sign("="):
		l.next()
	case l.sign("("):
		paren = true
		l.next()
	case !l.sign("{"):
		return &Note{to.line, fmt.Sprintf("%q, which only running the file could tell", to.text)}
	}
	v, err := l.expression()
	if err != nil {
		return err
	}
	if paren {
		if !l.sign(")") {
			return l.unreadable()
		}
		l.next()
	}
	if v.kind == table && (to.text == "settings" || to.text == "sync") {
		v.line = to.line
		l.calls = append(l.calls, call{to.text, v})
	} else {
		l.vars[to.text] = v
	}
	return nil
}

// blocks are the words that begin something up to its end. The end of a for or
// while is that of its do.
var blocks = []string{"function", "if", "do", "repeat", "for", "while"}

// recover goes on behind a statement that could not be read: at the next word
// that stands at the margin and is not the end of a block.
func (l *lua) recover(first token) {
	if l.tok == first {
		l.next()
	}
	for l.tok.kind != tokenEnd {
		if l.tok.margin && l.tok.kind == tokenName && !slices.Contains([]string{"end", "else", "elseif", "until"}, l.tok.text) {
			return
		}
		l.next()
	}
}

// expression reads values joined by "..".
func (l *lua) expression() (value, *Note) {
	l.depths++
	defer func() { l.depths-- }()
	if l.depths > maxDepth {
		return value{}, &Note{l.tok.line, "a value that is nested too deeply"}
	}
	v, err := l.atom()
	for err == nil && l.sign("..") {
		l.next()
		var w value
		if w, err = l.atom(); err == nil {
			if v.kind != str && v.kind != number || w.kind != str && w.kind != number {
				return value{}, &Note{v.line, fmt.Sprintf("a %s joined with a %s", v.kind, w.kind)}
			}
			if len(v.text)+len(w.text) > maxLength {
				return value{}, &Note{v.line, "a string that is too long"}
			}
			v.kind, v.text = str, v.text+w.text
		}
	}
	return v, err
}

func (l *lua) atom() (value, *Note) {
	t := l.tok
	v := value{line: t.line, text: t.text}
	known, assigned := l.vars[t.text]
	switch {
	case t.kind == tokenString:
		v.kind = str
	case t.kind == tokenNumber:
		v.kind = number
	case l.sign("{"):
		return l.table()
	case t.kind != tokenName:
		return value{}, l.unreadable()
	case t.text == "true", t.text == "false":
		v.kind = boolean
	case t.text == "nil":
		v.kind = nothing
	case assigned:
		v = known
	case strings.HasPrefix(t.text, "default."):
		v.kind = name
	default:
		return value{}, l.unreadable()
	}
	l.next()
	return v, nil
}

// table reads {...}. An element that cannot be read is noted and left out.
func (l *lua) table() (value, *Note) {
	v := value{line: l.tok.line, kind: table}
	for l.next(); !l.sign("}"); {
		if l.tok.kind == tokenEnd {
			return value{}, l.unreadable()
		}
		key, err := l.element(&v)
		if err == nil && !l.sign(",") && !l.sign(";") && !l.sign("}") {
			err = l.unreadable()
		}
		if err != nil {
			l.notes = append(l.notes, Note{err.Line, strings.TrimPrefix(key+" = "+err.What, " = ")})
			l.skipElement()
		}
		if l.sign(",") || l.sign(";") {
			l.next()
		}
	}
	l.next()
	return v, nil
}

// element reads one element into v: VALUE, NAME = VALUE or ["NAME"] = VALUE.
func (l *lua) element(v *value) (key string, err *Note) {
	if l.sign("[") {
		l.next()
		key = l.tok.text
		if l.tok.kind != tokenString && l.tok.kind != tokenNumber {
			return "", l.unreadable()
		}
		if l.next(); !l.sign("]") {
			return key, l.unreadable()
		}
		l.next()
	} else if l.tok.kind == tokenName {
		start, tok := l.scanner, l.tok
		l.next()
		if l.sign("=") {
			key = tok.text
		} else {
			l.scanner, l.tok = start, tok
		}
	}
	if key != "" {
		if !l.sign("=") {
			return key, l.unreadable()
		}
		l.next()
	}
	content, err := l.expression()
	switch {
	case err != nil:
	case key != "":
		v.fields = append(v.fields, field{key, content})
	default:
		v.items = append(v.items, content)
	}
	return key, err
}

// skipElement passes over the rest of an element, up to the comma or the
// bracket that ends it.
func (l *lua) skipElement() {
	for depth, open := 0, 0; l.tok.kind != tokenEnd; l.next() {
		switch {
		case depth == 0 && open == 0 && (l.sign(",") || l.sign(";") || l.sign("}")):
			return
		case l.tok.kind == tokenSign && strings.Contains("({[", l.tok.text):
			depth++
		case l.tok.kind == tokenSign && strings.Contains(")}]", l.tok.text):
			depth--
		case l.tok.kind != tokenName:
		case slices.Contains(blocks[:4], l.tok.text):
			open++
		case l.tok.text == "end" || l.tok.text == "until":
			open--
		}
	}
}
