package watcher

import (
	"context"
	"errors"
)

// ErrEnded is returned by Sync when the watcher has ended. What it had not
// emitted by then is found by the comparison that the next one begins with.
var ErrEnded = errors.New("watching has ended")

// Syncer is a [Watcher] that can tell how far it has come.
type Syncer interface {
	// Sync returns nil when every change that was made before it was called
	// is emitted, as itself or within a gap. Changes in directories that
	// cannot be watched are none of them; see Stats. It may be called from
	// any goroutine. The error is that of ctx, ErrEnded, or why the kernel
	// would not help.
	Sync(ctx context.Context) error
}
