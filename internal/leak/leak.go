// Package leak looks at what a program has not given back when it has ended by
// itself: goroutines, open descriptors and the inotify watches behind them, child
// processes. It is for tests. A build of the daemon has it with the tag faultpoints
// alone, see package fault; a test binary that stands in for the daemon calls [Look].
//
// What the program had at its beginning is its caller's. What is on its way out, as
// a goroutine that has just told that it is done, has [patience] to be gone.
// Watches that the daemon has forgotten while it runs end with their descriptor:
// they are counted before that is closed, see fault.Watches.
//
// # Ordering, blocking and shutdown
//
// Look is the last that a process does, and runs once. It takes no longer than the
// program where nothing is left.
package leak

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rjeczalik/notify"
	"go.uber.org/goleak"
)

const (
	// ExitCode is that of a process of which something was left.
	ExitCode = 67

	// Mark begins the line on standard error that there is for each thing.
	Mark = "leak: "

	// Dir is the variable that names a directory for the lines as well, in a file
	// that is called like the process's number: nobody sees the standard error of a
	// daemon in the background, nor its exit code. Where nothing is left, there is
	// no file.
	Dir = "INOSYNCD_LEAKS"

	patience = 5 * time.Second
	pause    = 10 * time.Millisecond
)

// beginning is what a program finds when it begins.
type beginning struct {
	goroutines goleak.Option
	files      map[int]string
	children   []int
}

// Look runs the program and returns its exit code, or ExitCode where something is
// left of it.
func Look(program func() int) int {
	b := begin()
	code := program()
	lines := b.left()
	if len(lines) == 0 {
		return code
	}
	text := Mark + strings.Join(lines, "\n"+Mark) + "\n"
	if dir := os.Getenv(Dir); dir != "" {
		file := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	fmt.Fprint(os.Stderr, text) // last: nobody may read it any more, which ends the process
	return ExitCode
}

func begin() *beginning {
	// The runtime makes its poller with the first pipe, and keeps it.
	if r, w, err := os.Pipe(); err == nil {
		_, _ = r.Close(), w.Close()
	}
	StartNotify()
	return &beginning{goroutines: goleak.IgnoreCurrent(), files: files(), children: Children(os.Getpid())}
}

// StartNotify has the library notify make what it keeps from its first watch until the
// process ends, goroutines and descriptors, before somebody notes what there is.
func StartNotify() {
	events := make(chan notify.EventInfo, 1)
	if err := notify.Watch("/", events, notify.Remove); err == nil {
		notify.Stop(events)
	}
}

// left has a line for everything that is still there when patience is over.
func (b *beginning) left() []string {
	debug.SetGCPercent(-1) // it would close files that are forgotten: os.File
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		late := time.Now().After(deadline)
		lines := slices.Concat(b.newGoroutines(), b.newFiles(), b.newChildren())
		if len(lines) == 0 || late {
			return lines
		}
	}
}
