package importer

import (
	"fmt"
	"slices"
	"strings"
)

// python reads the assignments of a Python file.
type python struct {
	scanner
	tok    token
	depths int
	vars   map[string]value
	order  []string
	used   map[string]bool // named in another's value
	faults Faults
}

func readPython(text string) *python {
	p := &python{scanner: scanner{text: text, line: 1}, vars: map[string]value{}, used: map[string]bool{}}
	for p.next(); p.tok.kind != tokenEnd; {
		if p.tok.kind == tokenLine {
			p.next()
			continue
		}
		if err := p.statement(); err != nil {
			p.faults = append(p.faults, *err)
			for p.tok.kind != tokenLine && p.tok.kind != tokenEnd {
				p.next()
			}
		}
	}
	return p
}

func (p *python) next() {
	for {
		p.run(func(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' && p.depth > 0 })
		switch rest := p.rest(); {
		case rest == "":
			p.tok = token{kind: tokenEnd, line: p.line}
			return
		case rest[0] == '#':
			p.run(func(c byte) bool { return c != '\n' })
		case strings.HasPrefix(rest, "\\\n"):
			p.skip(2)
		case rest[0] == '\n', rest[0] == ';':
			p.tok = token{kind: tokenLine, line: p.line}
			p.skip(1)
			return
		default:
			p.word()
			return
		}
	}
}

// word reads a token that is not space.
func (p *python) word() {
	line, start := p.line, p.at
	prefix := p.run(func(c byte) bool { return strings.IndexByte("rRuU", c) >= 0 })
	if p.rest() == "" || p.rest()[0] != '"' && p.rest()[0] != '\'' || len(prefix) > 1 {
		p.at = start
		p.tok = p.plain()
		return
	}
	quote := p.rest()[:1]
	long := strings.HasPrefix(p.rest(), strings.Repeat(quote, 3))
	if long {
		quote = strings.Repeat(quote, 3)
	}
	p.skip(len(quote))
	text, ok := p.quoted(quote, strings.EqualFold(prefix, "r"), long)
	p.tok = token{kind: tokenString, text: text, line: line}
	if !ok {
		p.tok = token{kind: tokenBad, text: "a string that cannot be read", line: line}
	}
}

// statement reads one line: an assignment, or an import of the event names,
// which brings nothing that is not known here.
func (p *python) statement() *Note {
	first := p.tok
	p.next()
	switch {
	case first.kind == tokenName && first.margin && (first.text == "import" || first.text == "from") && p.tok.text == "pyinotify":
		for p.tok.kind != tokenLine && p.tok.kind != tokenEnd {
			p.next()
		}
		return nil
	case first.kind == tokenString && (p.tok.kind == tokenLine || p.tok.kind == tokenEnd):
		return nil // a comment of sorts
	case first.kind == tokenName && first.margin && p.tok.kind == tokenSign && p.tok.text == "=":
	default:
		return &Note{first.line, "only assignments such as wpath = \"/var/www/\" can be read"}
	}
	p.next()
	v, err := p.expression()
	if err != nil {
		return err
	}
	if p.tok.kind != tokenLine && p.tok.kind != tokenEnd {
		return p.unreadable()
	}
	if !slices.Contains(p.order, first.text) {
		p.order = append(p.order, first.text)
	}
	p.vars[first.text] = v
	return nil
}

func (p *python) unreadable() *Note {
	switch p.tok.kind {
	case tokenBad:
		return &Note{p.tok.line, p.tok.text}
	case tokenEnd, tokenLine:
		return &Note{p.tok.line, "a value is missing or does not end"}
	}
	return &Note{p.tok.line, fmt.Sprintf("%q is nothing that can be read without executing it", p.tok.text)}
}

// expression reads values joined by + or |.
func (p *python) expression() (value, *Note) {
	p.depths++
	defer func() { p.depths-- }()
	if p.depths > maxDepth {
		return value{}, &Note{p.tok.line, "is nested too deeply"}
	}
	v, err := p.atom()
	for err == nil && p.tok.kind == tokenSign && (p.tok.text == "+" || p.tok.text == "|") {
		sign := p.tok
		p.next()
		var w value
		if w, err = p.atom(); err != nil {
			break
		}
		switch {
		case len(v.text)+len(w.text) > maxLength || len(v.items)+len(w.items) > maxLength:
			err = &Note{sign.line, "is too long"}
		case sign.text == "|" && v.isText() && w.isText():
			v.text += "|" + w.text
		case sign.text == "+" && v.kind == str && w.kind == str:
			v.text += w.text
		case sign.text == "+" && v.kind == table && w.kind == table:
			v.items, v.fields = slices.Concat(v.items, w.items), slices.Concat(v.fields, w.fields)
		default:
			err = &Note{sign.line, fmt.Sprintf("%s of a %s and a %s cannot be read", sign.text, v.kind, w.kind)}
		}
	}
	return v, err
}

func (p *python) atom() (value, *Note) {
	t := p.tok
	v := value{line: t.line, text: t.text}
	switch {
	case t.kind == tokenString:
		v.kind, v.text = str, ""
		for p.tok.kind == tokenString { // adjacent strings are one
			v.text += p.tok.text
			p.next()
		}
		return v, nil
	case t.kind == tokenNumber:
		v.kind = number
	case t.kind == tokenName:
		return p.named(v)
	case t.kind == tokenSign && (t.text == "[" || t.text == "(" || t.text == "{"):
		return p.collection(t)
	default:
		return value{}, p.unreadable()
	}
	p.next()
	return v, nil
}

// named reads a constant, the name of an event or a name assigned before.
func (p *python) named(v value) (value, *Note) {
	event := v.text[strings.LastIndexByte(v.text, '.')+1:]
	known, assigned := p.vars[v.text]
	switch {
	case v.text == "True", v.text == "False":
		v.kind = boolean
	case v.text == "None":
		v.kind = nothing
	case assigned:
		p.used[v.text] = true
		v = known
	case strings.HasPrefix(event, "IN_"):
		v.kind, v.text = name, event
	default:
		return value{}, p.unreadable()
	}
	p.next()
	return v, nil
}

// collection reads a list, a tuple, a set or a dict. One value in parentheses
// without a comma is that value.
func (p *python) collection(open token) (value, *Note) {
	end := map[string]string{"[": "]", "(": ")", "{": "}"}[open.text]
	v := value{line: open.line, kind: table}
	commas := 0
	for p.next(); p.tok.kind != tokenSign || p.tok.text != end; {
		item, err := p.expression()
		if err != nil {
			return value{}, err
		}
		if end == "}" && p.tok.text == ":" && item.kind == str {
			p.next()
			content, err := p.expression()
			if err != nil {
				return value{}, err
			}
			v.fields = append(v.fields, field{item.text, content})
		} else {
			v.items = append(v.items, item)
		}
		if p.tok.kind == tokenSign && p.tok.text == "," {
			commas++
			p.next()
		} else if p.tok.kind != tokenSign || p.tok.text != end {
			return value{}, p.unreadable()
		}
	}
	p.next()
	if end == ")" && commas == 0 && len(v.items) == 1 {
		return v.items[0], nil
	}
	return v, nil
}
