package logging

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	window    = time.Minute // in which equal lines are counted
	mayRepeat = 5           // equal lines in a window that are written
	maxKinds  = 1000        // kinds of lines that are counted; others are all written
)

// counted are the attributes by which lines are told apart, beside their level
// and message. The rest, such as a time or a duration, does not make a line
// another one.
var counted = []string{"mirror", "node", "path", "err"}

// exempt are messages that are never swallowed: a push that fails has one line,
// and how often there is one is bounded by push_rate and by backoff.
var exempt = []string{"push failed", "held"}

// Limiter is a handler that passes on the first warnings and errors of a kind
// and swallows those that follow within a minute. At its end a line "repeated"
// says how many there were. Lines below warn all pass: they are one for a push
// or an order, or somebody has asked for each.
type Limiter struct {
	next  slog.Handler
	all   *kinds
	attrs string // what With has given of counted
	group bool   // a group is open: attributes have other names now
}

// kinds are the kinds of lines of the current window.
type kinds struct {
	mu     sync.Mutex       // guards what follows
	byText map[string]*kind // nil outside of a window
	order  []*kind
	timer  *time.Timer // ends the window
	closed bool
}

type kind struct {
	next      slog.Handler
	sample    slog.Record
	written   int
	swallowed int
}

// Limit returns a handler in front of next. Close it when nothing logs any more.
func Limit(next slog.Handler) *Limiter { return &Limiter{next: next, all: new(kinds)} }

// Enabled implements slog.Handler.
func (l *Limiter) Enabled(ctx context.Context, level slog.Level) bool {
	return l.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l *Limiter) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn || slices.Contains(exempt, r.Message) || l.all.admit(l.next, l.text(r), r) {
		return l.next.Handle(ctx, r)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l *Limiter) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *l
	with.next = l.next.WithAttrs(attrs)
	if !l.group {
		var b strings.Builder
		for _, a := range attrs {
			write(&b, a)
		}
		with.attrs += b.String()
	}
	return &with
}

// WithGroup implements slog.Handler.
func (l *Limiter) WithGroup(name string) slog.Handler {
	with := *l
	with.next, with.group = l.next.WithGroup(name), true
	return &with
}

// text is what lines of the same kind have in common.
func (l *Limiter) text(r slog.Record) string {
	var b strings.Builder
	b.WriteString(r.Level.String() + " " + r.Message + "\x00" + l.attrs)
	if !l.group {
		r.Attrs(func(a slog.Attr) bool {
			write(&b, a)
			return true
		})
	}
	return b.String()
}

func write(b *strings.Builder, a slog.Attr) {
	if slices.Contains(counted, a.Key) {
		b.WriteString(a.Key + "=" + a.Value.Resolve().String() + "\x00")
	}
}

// admit reports whether a line is to be written, and counts it if not.
func (s *kinds) admit(next slog.Handler, text string, r slog.Record) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return true
	}
	if s.byText == nil {
		s.byText = map[string]*kind{}
		s.timer = time.AfterFunc(window, s.end)
	}
	k := s.byText[text]
	switch {
	case k == nil && len(s.order) == maxKinds:
		return true
	case k == nil:
		k = &kind{next: next, sample: r.Clone()}
		s.byText[text] = k
		s.order = append(s.order, k)
	}
	if k.written < mayRepeat {
		k.written++
		return true
	}
	k.swallowed++
	return false
}

// end ends the window, and says what was swallowed in it.
func (s *kinds) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.order {
		if k.swallowed > 0 {
			k.tell()
		}
	}
	s.byText, s.order = nil, nil
}

// tell writes the line that stands for those that were swallowed.
func (k *kind) tell() {
	r := slog.NewRecord(time.Now(), k.sample.Level, "repeated", 0)
	r.AddAttrs(slog.String("line", k.sample.Message), slog.Int("count", k.swallowed))
	k.sample.Attrs(func(a slog.Attr) bool {
		if slices.Contains(counted, a.Key) {
			r.AddAttrs(a)
		}
		return true
	})
	_ = k.next.Handle(context.Background(), r) // nobody waits for it
}

// Close says what was swallowed until now. Lines that come later all pass.
func (l *Limiter) Close() {
	l.all.mu.Lock()
	l.all.closed = true
	if l.all.timer != nil {
		l.all.timer.Stop()
	}
	l.all.mu.Unlock()
	l.all.end() // after one that was already on its way
}
