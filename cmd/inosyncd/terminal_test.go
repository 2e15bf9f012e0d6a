package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTerminalOf(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0) // one end of a terminal is one (pty(7))
	if err != nil {
		t.Skipf("needs a pseudoterminal: %v", err)
	}
	defer tty.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		name          string
		w             io.Writer
		kind, noColor string
		columns       uint16
		want          terminal
	}{
		{"terminal", tty, "xterm", "", 132, terminal{there: true, width: 132, colour: true}},
		{"of no known size", tty, "xterm", "", 0, terminal{there: true, width: 80, colour: true}},
		{"NO_COLOR", tty, "xterm", "1", 80, terminal{there: true, width: 80}},
		{"dumb", tty, "dumb", "", 80, terminal{there: true, width: 80}},
		{"of no known kind", tty, "", "", 80, terminal{there: true, width: 80}},
		{"file", file, "xterm", "", 80, terminal{}},
		{"buffer", new(bytes.Buffer), "xterm", "", 80, terminal{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TERM", tt.kind)
			t.Setenv("NO_COLOR", tt.noColor)
			if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: tt.columns, Row: 24}); err != nil {
				t.Fatal(err)
			}
			if got := terminalOf(tt.w); got != tt.want {
				t.Errorf("terminalOf(): got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		width        int
		indent, text string
		want         string
	}{
		{0, "  ", "as it is, however long it may be", "  as it is, however long it may be"},
		{12, "  ", "as it is, however long", "  as it is,\n  however\n  long"},
		{8, "", "a /name/that/is/long b", "a\n/name/that/is/long\nb"},
		{5, "", "äöü äö", "äöü\näö"},
		{20, "", "", ""},
	} {
		if got := (terminal{width: tt.width}).wrap(tt.text, tt.indent); got != tt.want {
			t.Errorf("wrap(%q) to %d: got %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
