// Package logging makes the daemon's loggers: text or JSON lines, to standard
// error, to a file that is reopened for logrotate, or to the journal with
// priorities.
//
// The handlers escape what they print: text lines quote values with anything but
// printable characters, JSON lines escape those characters. So a file name can
// neither forge a line nor control a terminal.
//
// A [Limiter] in front of a handler keeps equal lines from flooding the log, and logs
// how many it left out. Its only goroutine is that of a timer, which Close ends.
package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Options say how lines look.
type Options struct {
	Format  string       // "text" or "json"
	Level   slog.Leveler // may change at run time
	Journal bool         // text lines get sd-daemon(3) priorities and no time
	Colour  bool         // the level of text lines has a colour: w is a terminal
}

// New returns a logger that writes to w, one Write a line.
func New(w io.Writer, o Options) *slog.Logger {
	ho := &slog.HandlerOptions{Level: o.Level}
	switch {
	case o.Format == "json":
		return slog.New(slog.NewJSONHandler(jsonLines{w}, ho))
	case o.Journal:
		return slog.New(newJournal(w, ho))
	case o.Colour:
		w = colourLines{w}
	}
	return slog.New(slog.NewTextHandler(w, ho))
}

// ToJournal reports whether f is connected to the journal, as systemd tells in
// $JOURNAL_STREAM (systemd.exec(5)).
func ToJournal(f *os.File) bool {
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return false
	}
	return os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

// journal is a handler for text lines that begin with their priority, "<3>" to
// "<7>", and have no time: the journal keeps its own.
type journal struct {
	slog.Handler // writes into buf

	mu  *sync.Mutex   // guards buf and the order of lines
	buf *bytes.Buffer // one line
	out io.Writer
}

func newJournal(w io.Writer, ho *slog.HandlerOptions) *journal {
	ho.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
			return slog.Attr{}
		}
		return a
	}
	buf := new(bytes.Buffer)
	return &journal{slog.NewTextHandler(buf, ho), new(sync.Mutex), buf, w}
}

func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buf.Reset()
	fmt.Fprintf(j.buf, "<%d>", priority(r.Level))
	if err := j.Handler.Handle(ctx, r); err != nil {
		return err
	}
	_, err := j.out.Write(j.buf.Bytes())
	return err
}

func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journal{j.Handler.WithAttrs(attrs), j.mu, j.buf, j.out}
}

func (j *journal) WithGroup(name string) slog.Handler {
	return &journal{j.Handler.WithGroup(name), j.mu, j.buf, j.out}
}

// priority is the syslog(3) level of a slog level.
func priority(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}
