package push

import "context"

type reported struct{}

// WithReported returns a context for one push that has f called when the node
// has reported that it is done, while the push still waits to see a process
// end. It may be called twice, by any goroutine, or not at all.
func WithReported(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, reported{}, f)
}

// Reported says to who asked for it with WithReported that the node is done with
// the push of ctx. Nothing is confirmed by it: that is for the Result to say.
func Reported(ctx context.Context) {
	if f, ok := ctx.Value(reported{}).(func()); ok {
		f()
	}
}
