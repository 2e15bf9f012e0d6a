package lab

import (
	"fmt"
	"strings"
)

// OddNames are file names that break programs: those that take a name for an
// option, a comment, a pattern, a line, a command, a format, a host or text.
func OddNames() []string {
	return []string{
		"-", "-rf", "--delete", "#hash", ";semicolon", "!", "+ plus", "- minus",
		" leading", "trailing ", " ", "two  words", "tab\tbed", "new\nline", "\n", "return\r",
		`"double"`, "'single'", "`id`", "$(id)", "${HOME}", "$HOME", "a;b", "a|b", "a&b", "a>b", "~", "~root",
		"*", "star*", "?", "what?", "[", "[set]", "[!set]", "a]b", "{a,b}", "**",
		`\`, `back\slash`, `end\`, `\#012`, `\[x]`, `a\*b`,
		"%n", "%i|%l", "host:path", "host::module", "rsync:", "...", ".hidden", "..dots",
		"caf\xe9", "\xff\xfe", "é", "e\u0301", "\u202egnp", "\x01\x7f", "\x1b[31m",
		strings.Repeat("n", 255), strings.Repeat("\xfe", 255), strings.Repeat("[", 200),
	}
}

// name draws a file name. Plain names are few, so that they are met again.
func (s *Storm) name() string {
	if s.rnd.IntN(4) == 0 {
		odd := OddNames()
		return odd[s.rnd.IntN(len(odd))]
	}
	return fmt.Sprintf("%c%d", 'a'+s.rnd.IntN(8), s.rnd.IntN(8))
}
