package printable

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"plain, é and 中":       "plain, é and 中",
		`a "quoted" \ one`:     `a "quoted" \ one`,
		"\x1b]0;x\x07\xff\n\t": `\x1b]0;x\a\xff\n\t`,
		"\u200b\u202e":         `\u200b\u202e`,
	} {
		if got := Escape(s); got != want {
			t.Errorf("Escape(%q): got %q, want %q", s, got, want)
		}
	}
}

func FuzzClip(f *testing.F) {
	f.Add("  short\n")
	f.Add("\x1b]0;x\x07\xff")
	f.Add(strings.Repeat("é", 200))
	f.Fuzz(func(t *testing.T, text string) {
		s := Clip(Escape(text))
		if len(s) > longest+len("…") || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("Clip(Escape(%q)): got %q", text, s)
		}
	})
}
