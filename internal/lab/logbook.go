package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Line is a line of a log in JSON.
type Line struct {
	Time  time.Time
	Level string
	Msg   string
	Attrs map[string]any // all that the line has, as encoding/json reads it
}

// is reports whether the line has the message, "" being any, and the pairs of
// key and value. Values are compared as they print.
func (l Line) is(msg string, attrs []any) bool {
	if msg != "" && l.Msg != msg {
		return false
	}
	for pair := range slices.Chunk(attrs, 2) {
		v, ok := l.Attrs[fmt.Sprint(pair[0])]
		if !ok || fmt.Sprint(v) != fmt.Sprint(pair[1]) {
			return false
		}
	}
	return true
}

// logbook keeps what a program prints, and the lines of it that are JSON.
type logbook struct {
	mu    sync.Mutex
	text  bytes.Buffer  // guarded by mu; everything
	read  int           // guarded by mu; bytes of text that are in lines
	lines []Line        // guarded by mu
	more  chan struct{} // guarded by mu; closed and replaced at every line
}

func newLogbook() *logbook { return &logbook{more: make(chan struct{})} }

// Write takes what the program prints, in pieces of any size.
func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	for {
		line, _, ok := bytes.Cut(b.text.Bytes()[b.read:], []byte("\n"))
		if !ok {
			return len(p), nil
		}
		b.read += len(line) + 1
		b.add(line)
	}
}

func (b *logbook) add(line []byte) {
	var head struct {
		Time  time.Time `json:"time"`
		Level string    `json:"level"`
		Msg   string    `json:"msg"`
	}
	l := Line{}
	if json.Unmarshal(line, &head) != nil || json.Unmarshal(line, &l.Attrs) != nil {
		return // not a line of the log; it stays in the text
	}
	l.Time, l.Level, l.Msg = head.Time, head.Level, head.Msg
	b.lines = append(b.lines, l)
	close(b.more)
	b.more = make(chan struct{})
}

// find returns the lines with the message and the attributes, and a channel
// that is closed when there is another line.
func (b *logbook) find(msg string, attrs []any) ([]Line, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []Line
	for _, l := range b.lines {
		if l.is(msg, attrs) {
			found = append(found, l)
		}
	}
	return found, b.more
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
