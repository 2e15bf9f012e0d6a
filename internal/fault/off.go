//go:build !faultpoints

package fault

// Point is a step that cannot fail.
func Point(string) {}

// Fail is a step that can fail, as if for the error that it returns.
func Fail(string) error { return nil }

// Looking is the program.
func Looking(program func() int) func() int { return program }

// Watches is the end of an inotify descriptor.
func Watches(int, int) {}
