package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document returns the root mapping of the one document in content, or nil
// and a fault.
func (l *loader) document(content []byte) *yaml.Node {
	if at, msg := unreadable(content); msg != "" {
		l.fault("", at, msg)
		return nil
	}
	docs, err := parse(bytes.NewReader(content))
	switch {
	case err != nil:
		at := &yaml.Node{}
		at.Line, at.Column = syntaxPosition(content)
		l.fault("", at, "YAML: "+syntaxMessage(err))
		return nil
	case len(docs) == 0 || docs[0].Content[0].ShortTag() == "!!null":
		l.fault("", &yaml.Node{Line: 1, Column: 1}, "is empty")
		return nil
	case len(docs) > 1:
		l.fault("", docs[1], "a second YAML document; there must be one only")
		return nil
	}
	root := docs[0].Content[0]
	if root.Kind != yaml.MappingNode {
		l.fault("", root, "must be a map of keys such as wpath, rnodes")
		return nil
	}
	return root
}

func parse(r io.Reader) ([]*yaml.Node, error) {
	var docs []*yaml.Node
	for d := yaml.NewDecoder(r); ; {
		doc := &yaml.Node{}
		err := d.Decode(doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
}

// unreadable finds the first byte that YAML does not allow, for which the
// parser has no position.
func unreadable(content []byte) (at *yaml.Node, msg string) {
	at = &yaml.Node{Line: 1, Column: 1}
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return at, "is not UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return at, fmt.Sprintf("has the control character %#x", r)
		case r == '\n':
			at.Line, at.Column = at.Line+1, 0
		}
		at.Column++
		i += size
	}
	return nil, ""
}

// mostTries bounds the search of syntaxPosition, each step of which parses.
const mostTries = 100

// syntaxPosition finds where content ceases to be YAML: at the first line that
// no longer parses together with those before it. (The parser itself names now
// the line before, now the start of the block, and no column.)
func syntaxPosition(content []byte) (line, column int) {
	lines := bytes.SplitAfter(content, []byte("\n"))
	r := &lineReader{rest: lines}
	_, _ = parse(r)
	last := len(lines) - len(r.rest) // the fault is not behind it
	for line = last; line > 1 && last-line < mostTries; line-- {
		if _, err := parse(&lineReader{rest: lines[:line-1]}); err == nil {
			break
		}
	}
	text := lines[max(line, 1)-1]
	return max(line, 1), 1 + len(text) - len(bytes.TrimLeft(text, " \t"))
}

// lineReader gives the parser one line at a time, to see how far it gets.
type lineReader struct {
	line []byte   // what is left of the line being read
	rest [][]byte // the lines after it
}

func (r *lineReader) Read(p []byte) (int, error) {
	for len(r.line) == 0 {
		if len(r.rest) == 0 {
			return 0, io.EOF
		}
		r.line, r.rest = r.rest[0], r.rest[1:]
	}
	n := copy(p, r.line)
	r.line = r.line[n:]
	return n, nil
}

// syntaxMessage is what the parser says, without its line, and with the cure
// of the mistake that patterns invite.
func syntaxMessage(err error) string {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(msg, "line ") {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	for _, sign := range []string{"alphabetic or numeric", "start any token", "unknown anchor"} {
		if strings.Contains(msg, sign) {
			msg += "; a value that begins with one of * & ! % @ must be quoted, and tabs do not indent"
		}
	}
	return msg
}
