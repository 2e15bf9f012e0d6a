package process

import (
	"bytes"
	"os/exec"
	"sync"
)

const (
	maxLine  = 32 << 10 // a path of 4096 bytes, every one of them escaped, and more
	maxNotes = 256      // lines kept of one stream
	maxFlood = 32 << 20 // bytes of notes with nothing else between them
)

// lines splits what is written to it into lines, which end with a newline or,
// where rsync shows its progress, with a carriage return. It never fails and
// keeps little, so that a process always finds its pipe drained.
type lines struct {
	mu     sync.Mutex             // guards take
	take   func(line string) bool // nil takes nothing
	notes  []string               // the first lines that were not taken
	excess bool                   // some were not kept, or not whole

	rest []byte // the start of a line whose end has not come
	over bool   // it overwrites the line before it: a carriage return was that one's end
	skip bool   // the rest of a line that was too long
	idle int    // bytes since a line was taken
}

// bind has take take the lines that come from now on.
func (l *lines) bind(take func(line string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take = take
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	l.idle += n
	for {
		i := bytes.IndexAny(p, "\n\r")
		if i < 0 {
			break
		}
		l.add(p[:i])
		l.end()
		l.over = p[i] == '\r'
		p = p[i+1:]
	}
	l.add(p)
	l.peek()
	return n, nil
}

// peek shows a record of progress at once: rsync writes the carriage return at
// its beginning, so its end comes only with the next one, a second later
// (progress.c, 3.5.0). No other line begins with a blank.
func (l *lines) peek() {
	if l.over && !l.skip && len(l.rest) > 0 && l.rest[0] == ' ' && l.take != nil {
		l.take(string(l.rest))
	}
}

// flooded reports whether there has been more to note than a healthy run has. A
// node can make rsync print what it likes, for as long as it likes.
func (l *lines) flooded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.idle > maxFlood
}

func (l *lines) add(p []byte) {
	if l.skip || len(l.rest)+len(p) > maxLine {
		l.rest, l.skip, l.excess = l.rest[:0], true, true
		return
	}
	l.rest = append(l.rest, p...)
}

// end takes what is there for a line, also at the end of the stream.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.line(string(l.rest))
	}
	l.rest, l.skip = l.rest[:0], false
}

func (l *lines) line(s string) {
	switch {
	case l.take != nil && l.take(s):
		l.idle = 0
	case len(l.notes) < maxNotes:
		l.notes = append(l.notes, s)
	default:
		l.excess = true
	}
}

// Run runs a command to its end and returns the first lines that it printed to
// its standard output and to its standard error.
func Run(cmd *exec.Cmd) (printed, said []string, err error) {
	var out, errs lines
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	out.end()
	errs.end()
	return out.notes, errs.notes, err
}
