package main

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
)

// mirrorName is the name of a mirror as its lines in the log have it. It changes
// while the mirror runs, and with it everybody's who got a logger before.
type mirrorName struct{ now atomic.Value }

func (n *mirrorName) set(name string) { n.now.Store(name) }

// logAs returns a logger whose lines begin with the name that is set at the
// time.
func logAs(log *slog.Logger) (*mirrorName, *slog.Logger) {
	name := new(mirrorName)
	name.set("")
	return name, slog.New(&nameHandler{Handler: log.Handler(), name: name})
}

// nameHandler keeps what is to be added to its Handler until a line is written:
// added before, the name would be fixed.
type nameHandler struct {
	slog.Handler
	name *mirrorName
	then []func(slog.Handler) slog.Handler
}

func (h *nameHandler) Handle(ctx context.Context, r slog.Record) error {
	to := h.Handler.WithAttrs([]slog.Attr{slog.Any("mirror", h.name.now.Load())})
	for _, add := range h.then {
		to = add(to)
	}
	return to.Handle(ctx, r)
}

func (h *nameHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

func (h *nameHandler) WithGroup(name string) slog.Handler {
	return h.with(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h *nameHandler) with(add func(slog.Handler) slog.Handler) slog.Handler {
	return &nameHandler{h.Handler, h.name, append(slices.Clip(h.then), add)}
}
