package main

import (
	"os"
	"os/signal"
	"syscall"
)

// surviveBrokenLog has lines lost that nobody reads any more, because what was
// at the end of the pipe has ended or journald was started anew. Otherwise the
// next line would end the program (os/signal, SIGPIPE), and systemd would take
// that for a success (systemd.service(5), SuccessExitStatus=). What it starts is
// not concerned: a handler does not outlive an exec.
func surviveBrokenLog() (undo func()) {
	broken := make(chan os.Signal, 1) // never read: that it is there is enough
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}
