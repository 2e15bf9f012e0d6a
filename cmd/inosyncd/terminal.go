package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// terminal is what is known of the place that text goes to.
type terminal struct {
	there  bool // it is a terminal
	width  int  // its columns; 0: as many as there are
	colour bool // it shows colours, and nobody minds
}

// terminalOf looks at w. NO_COLOR, when it is not empty, asks for no colours
// (no-color.org); a dumb terminal has none (terminfo(5)).
func terminalOf(w io.Writer) terminal {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return terminal{}
	}
	kind := os.Getenv("TERM")
	t := terminal{there: true, width: 80}
	t.colour = os.Getenv("NO_COLOR") == "" && kind != "" && kind != "dumb"
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		t.width = width
	}
	return t
}

// Colours of ECMA-48 (SGR).
const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint is text in a colour, where that is shown.
func (t terminal) paint(text, colour string) string {
	if !t.colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// wrap breaks a line at its spaces so that it fits into the width, and begins
// every line of it with the indent. A word that is too long stays whole: it can
// be a name that somebody wants to copy.
func (t terminal) wrap(line, indent string) string {
	if t.width == 0 {
		return indent + line
	}
	var b strings.Builder
	column := 0
	for word := range strings.SplitSeq(line, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+n > t.width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// clip is name in at most width columns: its middle, of which most is known
// from the other rows, makes room.
func clip(name string, width int) string {
	runes := []rune(name)
	if len(runes) <= width {
		return name
	}
	head := (width - 1) / 2
	tail := width - 1 - head
	return string(runes[:head]) + "…" + string(runes[len(runes)-tail:])
}
