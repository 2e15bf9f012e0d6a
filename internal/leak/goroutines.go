package leak

import (
	"regexp"
	"strings"

	"go.uber.org/goleak"
)

// head is how each of the goroutines begins in what goleak says of them.
var head = regexp.MustCompile(`(?m)^[\[ ]Goroutine `)

// newGoroutines has a line, with its stack, for every goroutine that the program
// has started. The runtime's own, as that of os/signal, are not among them.
func (b *beginning) newGoroutines() []string {
	err := goleak.Find(b.goroutines)
	if err == nil {
		return nil
	}
	lines := head.Split(strings.TrimSuffix(err.Error(), "]"), -1)[1:]
	for i, stack := range lines {
		frames := strings.ReplaceAll(strings.TrimSpace(stack), "\n\t", " ")
		lines[i] = "goroutine " + strings.ReplaceAll(frames, "\n", " | ")
	}
	return lines
}
