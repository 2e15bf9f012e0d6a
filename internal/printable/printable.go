// Package printable makes text of strangers fit for logs, errors and terminals.
//
// What a node says, and what things are called there, can be any bytes: here
// they lose what a terminal would obey, and a log would take for lines of its own.
// Everything is a pure function: nothing blocks, and all can run at once.
package printable

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// longest is the longest text that goes into an error, in bytes.
const longest = 300

// Escape escapes what could do harm on a terminal or in a log: control
// characters, what is no UTF-8, and whatever does not print.
func Escape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			q := strconv.Quote(s[:n])
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Clip cuts a text that is too long for a message.
func Clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
