package nodelog

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// handler notes a line and hands it on.
type handler struct {
	next  slog.Handler
	book  *Book
	text  slog.Handler // writes attributes into book.buf, under book.mu
	about key
	deep  bool // in a group, where "mirror" and "node" mean something else
}

// Handler returns a handler that notes what concerns a node and has next handle
// all that next wants.
func (b *Book) Handler(next slog.Handler) slog.Handler {
	return &handler{next: next, book: b, text: slog.NewTextHandler(&b.buf, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, slog.LevelKey, slog.MessageKey, "mirror", "node":
				if len(groups) == 0 {
					return slog.Attr{}
				}
			}
			return a
		},
	})}
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo || h.next.Enabled(ctx, l) // who it is about may come with the line
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		if err := h.note(ctx, r); err != nil {
			return err
		}
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h *handler) note(ctx context.Context, r slog.Record) error {
	about := h.about
	if !h.deep {
		r.Attrs(func(a slog.Attr) bool {
			about.set(a)
			return true
		})
	}
	if about.mirror == "" {
		return nil
	}
	h.book.mu.Lock()
	defer h.book.mu.Unlock()
	h.book.buf.Reset()
	if err := h.text.Handle(ctx, r); err != nil {
		return fmt.Errorf("noting a line: %w", err)
	}
	text := strings.TrimSpace(r.Message + " " + h.book.buf.String())
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "") + "…"
	}
	h.book.add(about, Line{r.Time, r.Level, text})
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	n.next, n.text = h.next.WithAttrs(attrs), h.text.WithAttrs(attrs)
	if !h.deep {
		for _, a := range attrs {
			n.about.set(a)
		}
	}
	return &n
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	n := *h
	n.next, n.text, n.deep = h.next.WithGroup(name), h.text.WithGroup(name), true
	return &n
}

func (k *key) set(a slog.Attr) {
	switch a.Key {
	case "mirror":
		k.mirror = a.Value.String()
	case "node":
		k.node = a.Value.String()
	}
}
