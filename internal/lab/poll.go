package lab

import (
	"fmt"
	"time"
)

// Eventually calls f until it returns nil, and returns its last error when that
// has not happened before limit is over. f is called at once, then after pauses
// that grow to 100 ms, and at least twice.
func Eventually(limit time.Duration, f func() error) error {
	deadline := time.Now().Add(limit)
	pause := 2 * time.Millisecond
	for {
		late := time.Now().After(deadline)
		err := f()
		if err == nil {
			return nil
		}
		if late {
			return fmt.Errorf("after %v: %w", limit, err)
		}
		time.Sleep(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
}
