package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing that is wrong, and where.
type Fault struct {
	File   string // or the variable or flag that holds the value
	Line   int    // from 1; 0 where File has no lines
	Column int    // in characters, from 1; 0 when unknown
	Key    string // "" when it is about the file
	Value  string // "" when it is about the key; never a password
	Msg    string
	Hint   string // what was probably meant; may be empty
}

// longestValue keeps the line of a fault readable.
const longestValue = 100

// Error is file:line:column: key "value": message (did you mean "hint"?), with
// what is unknown left out and control bytes escaped.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(plain(f.File))
	for _, n := range []int{f.Line, f.Column} {
		if n > 0 {
			b.WriteString(":" + strconv.Itoa(n))
		}
	}
	b.WriteString(": ")
	if f.Key != "" {
		b.WriteString(plain(f.Key))
		if f.Value != "" {
			b.WriteString(" " + quote(f.Value))
		}
		b.WriteString(": ")
	}
	b.WriteString(plain(f.Msg))
	if f.Hint != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", f.Hint)
	}
	return b.String()
}

// quote quotes s, cut to a sensible length.
func quote(s string) string {
	if len(s) > longestValue {
		return strconv.Quote(s[:longestValue]) + "..."
	}
	return strconv.Quote(s)
}

// plain returns s without quotes where it needs none.
func plain(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return quote(s)
	}
	return s
}

// Faults is the error of a configuration that cannot be used: all that is
// wrong with it, in the order of the file.
type Faults []Fault

// Error has one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the faults in the order of the file, each once: a value that
// several nodes inherit is wrong for all of them.
func sorted(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.Msg, b.Msg),
		)
	})
	return slices.Compact(faults)
}

var passwordInURL = regexp.MustCompile(`(://[^/:@]*):.*@`)

// redacted hides the password of a URL, which may itself hold any character.
func redacted(s string) string {
	return passwordInURL.ReplaceAllString(s, "$1:...@")
}

// at starts a fault about key at a place in the file.
func (l *loader) at(key string, n *yaml.Node) Fault {
	return Fault{File: l.file, Line: n.Line, Column: n.Column, Key: key}
}

// fault reports something about key, or about the file where key is "".
func (l *loader) fault(key string, n *yaml.Node, msg string) {
	f := l.at(key, n)
	f.Msg = msg
	l.faults = append(l.faults, f)
}

// of starts a fault about the value of s; n is the value or an element of it.
func (l *loader) of(s *setting, n *yaml.Node) Fault {
	f := l.at(s.key.Name, n)
	if s.key.Scope == InSSH {
		f.Key = "ssh." + f.Key
	}
	if s.from != "" {
		f.File = s.from
	}
	f.Value = redacted(target(n).Value)
	return f
}

// bad reports that the value of s, or its element n, cannot be used.
func (l *loader) bad(s *setting, n *yaml.Node, msg, hint string) {
	f := l.of(s, n)
	f.Msg, f.Hint = msg, hint
	l.faults = append(l.faults, f)
}

// warn notes that the value of s, or its element n, looks wrong.
func (l *loader) warn(s *setting, n *yaml.Node, msg string) {
	f := l.of(s, n)
	f.Msg = msg
	l.warnings = append(l.warnings, f)
}
