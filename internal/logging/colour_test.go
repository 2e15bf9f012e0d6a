package logging_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"inosyncd/internal/logging"
)

func TestColours(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelDebug:     " level=\x1b[2mDEBUG\x1b[0m msg=",
		slog.LevelInfo:      " level=INFO msg=",
		slog.LevelWarn:      " level=\x1b[33mWARN\x1b[0m msg=",
		slog.LevelError:     " level=\x1b[31mERROR\x1b[0m msg=",
		slog.LevelError + 1: " level=\x1b[31mERROR+1\x1b[0m msg=",
	} {
		for _, colour := range []bool{true, false} {
			var out bytes.Buffer
			log := logging.New(&out, logging.Options{Level: slog.LevelDebug, Colour: colour})
			log.Log(t.Context(), level, "m level=ERROR x", "path", " level=ERROR \x1b[31m")
			want := want
			if !colour {
				want = " level=" + level.String() + " msg="
			}
			want += `"m level=ERROR x" path=" level=ERROR \x1b[31m"` + "\n"
			if got := out.String(); !strings.HasSuffix(got, want) {
				t.Errorf("Log(%v), colour %v: got %q, want %q at its end", level, colour, got, want)
			}
		}
	}
	for _, o := range []logging.Options{{Format: "json", Colour: true}, {Journal: true, Colour: true}} {
		var out bytes.Buffer
		logging.New(&out, o).Error("m")
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("New(%+v): got a colour in %q", o, out.String())
		}
	}
}
