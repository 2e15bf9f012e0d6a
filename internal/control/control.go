// Package control lets the commands query and steer a running daemon: HTTP with
// JSON on a unix socket. The daemon runs the [Server], the commands use the
// [Client], and curl --unix-socket works, too:
//
//	GET  /status                       the status document
//	GET  /explain?path=P               a list of Explanation
//	POST /wait[?path=P]                answers when P, or all, is on every node
//	POST /pause, /resume, /resync, /verify [?node=N&...]
//	POST /approve?node=N
//	POST /verified?mirror=M&node=N     the node was found equal by content
//	POST /level[?level=L]              {"level": L}: the level of the log, set or not
//
// An answer that is not 200 is {"error": "..."}: 400 and 404 for a wrong request,
// 403 to users who may not ask, 409 if it cannot be done, 503 if the daemon is busy
// or stopping. A path is the percent-encoded bytes of an absolute path, so any name
// can be given.
//
// Only root and the user who runs the daemon are answered. The socket's mode
// sees to that, and for each connection the kernel is asked who is at its other
// end.
//
// # Ordering
//
// Requests are independent of each other. An order has been carried out when its
// answer arrives.
//
// # Blocking
//
// Everything is answered at once, except /wait. The number of requests is bounded,
// and waits may use only part of it.
//
// # Shutdown
//
// Server.Close ends waits with an error, and waits for all goroutines.
package control

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"inosyncd/internal/status"
)

// Daemon is what a Server speaks for. Its methods are called by many goroutines
// at once. An error that is a *UsageError says that the question is wrong; any
// other that it cannot be done.
type Daemon interface {
	Status() status.Status

	// Wait returns when the absolute path, or with "" everything that was
	// changed before, is on every node; or when ctx is done.
	Wait(ctx context.Context, path string) error

	// Explain says of an absolute path whether it is mirrored and pending,
	// once for each mirror that it lies in. A path that ends in a slash is a
	// directory's, also when there is nothing.
	Explain(path string) ([]Explanation, error)

	// Order does something to nodes: those of these names or, without names,
	// to all. It returns which they were.
	Order(o Order, names []string) ([]Node, error)

	// Verified notes that a node was just compared by content, and was equal.
	Verified(n Node) error

	// LogLevel is the level of the log. Who sets it does so until the
	// configuration is read again.
	LogLevel() *slog.LevelVar
}

// Order is what can be done to nodes.
type Order string

// The orders.
const (
	Pause   Order = "pause"   // push nothing until Resume
	Resume  Order = "resume"  // end a Pause, and try what failed again at once
	Resync  Order = "resync"  // compare everything
	Approve Order = "approve" // make the removals that were held
	Verify  Order = "verify"  // begin to compare by content; the status has the result
)

// Node names a node of a mirror.
type Node struct {
	Mirror string `json:"mirror"`
	Node   string `json:"node"`
}

// Explanation is what becomes of a path in a mirror.
type Explanation struct {
	Mirror   string `json:"mirror"`
	Mirrored bool   `json:"mirrored"`
	Reason   string `json:"reason"`
	Rule     *Rule  `json:"rule"` // that decides; null: none matches
	Pending  *bool  `json:"pending"`
	Queued   bool   `json:"queued"` // pending, and not yet handed to the nodes
	Nodes    []Path `json:"nodes"`
}

// Rule is an exclude rule and its place; no File means that it is not from the
// configuration.
type Rule struct {
	Text string `json:"text"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Path is how a path stands at a node.
type Path struct {
	Node    string       `json:"node"`
	Pending bool         `json:"pending"` // it, or something above or below it
	State   status.State `json:"state"`   // of the node
	Why     string       `json:"why"`     // it is pending
	Cure    string       `json:"cure"`    // what a person can do about that; may be empty
	NextTry *time.Time   `json:"next_try"`

	// LastPush is when a push that named the path, or a directory above it, last
	// succeeded; null: not since Remembered, which is all that is known. A
	// full sync names no path.
	LastPush     *time.Time `json:"last_push"`
	Remembered   *time.Time `json:"remembered"`
	LastFullSync *time.Time `json:"last_full_sync"`
}

// UsageError is a question that is wrong: about a node or a path that the
// daemon does not have.
type UsageError struct{ Msg string }

func (e *UsageError) Error() string { return e.Msg }

// RunningError is why Serve has no socket: another daemon has it.
type RunningError struct {
	Path string
	PID  int // 0 when unknown
}

func (e *RunningError) Error() string {
	who := "another daemon"
	if e.PID > 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("already running: %s answers at the control socket %q", who, e.Path)
}

// NotRunningError is returned by a Client that finds nobody at the socket.
type NotRunningError struct{ Path string }

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("no daemon answers at the control socket %q: start inosyncd, or name its configuration with -c", e.Path)
}
