//go:build faultpoints

package fault

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"inosyncd/internal/leak"
)

// armed is what INOSYNCD_FAULT asks for; without it, nothing is done.
var armed = read(os.Getenv("INOSYNCD_FAULT"))

// counter counts passages.
type counter struct {
	mu     sync.Mutex
	at     int    // the passage that has an effect
	effect string // "kill" or "fail"; "": nothing is counted
	passed int
}

// read reads n:effect. It panics on anything else: it is for tests.
func read(text string) *counter {
	c := &counter{}
	if text == "" {
		return c
	}
	n, err := fmt.Sscanf(text, "%d:%s", &c.at, &c.effect)
	if err != nil || n != 2 || c.effect != "kill" && c.effect != "fail" {
		panic(fmt.Sprintf("INOSYNCD_FAULT=%q: want a number, a colon, and kill or fail", text))
	}
	return c
}

// Point is a step that cannot fail.
func Point(name string) { _ = armed.pass(name, "kill") }

// Fail is a step that can fail, as if for the error that it returns.
func Fail(name string) error { return armed.pass(name, armed.effect) }

// Looking is the program, which returns its exit code, with a look at what it has
// left.
func Looking(program func() int) func() int {
	return func() int { return leak.Look(program) }
}

// Watches is the end of the inotify descriptor fd, of whose watches so many are
// known. It panics where there are more: what the kernel has and nobody knows of,
// nobody gives back.
func Watches(fd, known int) {
	if n := leak.Watches(fd); n > known {
		panic(fmt.Sprintf("%sdescriptor %d has %d watches, of which %d are known", leak.Mark, fd, n, known))
	}
}

// pass counts a passage, if the point can have that effect.
func (c *counter) pass(name, effect string) error {
	if c.effect == "" || c.effect != effect {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed++
	if c.passed != c.at {
		fmt.Fprintf(os.Stderr, "fault: passed %d %s\n", c.passed, name)
		return nil
	}
	fmt.Fprintf(os.Stderr, "fault: %s %d %s\n", effect, c.passed, name)
	if effect == "kill" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing more happens here while the signal is on its way
	}
	return fmt.Errorf("fault point %q: %w", name, syscall.EIO)
}
