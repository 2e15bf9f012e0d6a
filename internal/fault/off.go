//go:build !faultpoints

package fault

// Point is a step that cannot fail.
func Point(string) {}

// Fail is a step that can fail, as if for the error that it returns.
func Fail(string) error { return nil }
