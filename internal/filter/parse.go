package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Line is one rule as it stands in the configuration or in a rules file.
type Line struct {
	Text   string
	File   string // where it stands, for messages
	Number int    // line in File, from 1
	Column int    // from 1; 0 when unknown

	// Perishable says that what the rule excludes protects nothing on a node
	// from going with a directory that is removed: the modifier p of rsync's
	// filter rules. To what is mirrored it makes no difference.
	Perishable bool
}

// SyntaxError is a line that cannot be used.
type SyntaxError struct {
	Line Line
	Msg  string // what is wrong with it, and the cure
}

func (e *SyntaxError) Error() string {
	switch at := e.Line; {
	case at.File == "":
		return e.Msg
	case at.Column == 0:
		return fmt.Sprintf("%s:%d: %s", at.File, at.Number, e.Msg)
	default:
		return fmt.Sprintf("%s:%d:%d: %s", at.File, at.Number, at.Column, e.Msg)
	}
}

// maxPattern is the longest pattern in bytes: rsync 3.5.0 leaves out longer
// ones with a warning.
const maxPattern = 4095

// Parse reads exclude lines: PATTERN, "- PATTERN", "+ PATTERN" or "!". The
// error joins a *SyntaxError for every line that cannot be used.
func Parse(lines []Line) (*Rules, error) {
	r := &Rules{given: slices.Clone(lines)}
	var faults []error
	for _, line := range lines {
		if line.Text == "!" {
			r.rules = nil
			continue
		}
		rule, fault := parseLine(line)
		if fault != "" {
			faults = append(faults, &SyntaxError{Line: line, Msg: fault})
			continue
		}
		r.rules = append(r.rules, rule)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return r, nil
}

// parseLine reads a line that is not "!", or says what is wrong with it.
func parseLine(line Line) (r rule, fault string) {
	text, include := line.Text, false
	if pattern, ok := strings.CutPrefix(text, "- "); ok {
		text = pattern
	} else if pattern, ok := strings.CutPrefix(text, "+ "); ok {
		text, include = pattern, true
	} else if f, ok := parseForm(text); ok && f.meant() {
		return rule{}, fmt.Sprintf("%q is rsync's filter rule %q and no pattern: only PATTERN, \"- PATTERN\", "+
			"\"+ PATTERN\" and \"!\" are supported; to exclude what has this name write %q", text, f.kind.name, "- "+text)
	}
	switch {
	case text == "":
		return rule{}, "the pattern is empty"
	case strings.Contains(text, "\x00"):
		return rule{}, fmt.Sprintf("%q holds a NUL byte, which no name does", text)
	case len(text) > maxPattern:
		return rule{}, fmt.Sprintf("the pattern has %d bytes, rsync takes at most %d", len(text), maxPattern)
	}
	return rule{line: line, pattern: compile(text), include: include}, ""
}

// ReadLines splits the content of a rules file as rsync splits a file of
// --exclude-from: a line ends with LF, CR or CRLF, lines that are empty or
// begin with '#' or ';' are left out, and nothing is trimmed. file is where
// the content is from, for messages.
func ReadLines(file string, content []byte) []Line {
	var lines []Line
	number := 0
	for rest := string(content); rest != ""; {
		number++
		text := rest
		if i := strings.IndexAny(rest, "\r\n"); i < 0 {
			rest = ""
		} else {
			text = rest[:i]
			if strings.HasPrefix(rest[i:], "\r\n") {
				i++
			}
			rest = rest[i+1:]
		}
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		lines = append(lines, Line{Text: text, File: file, Number: number, Column: 1})
	}
	return lines
}
