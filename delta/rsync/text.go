package rsync

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText is the longest text of rsync's that goes into an error, in bytes.
const maxText = 300

// clean escapes what could do harm on a terminal or in a log: control
// characters, what is no UTF-8, and whatever does not print.
func clean(s string) string {
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

// clip cuts a text that is too long for a message.
func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
