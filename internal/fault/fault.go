// Package fault names the steps between an event and its confirmation, so that a
// test can kill the daemon, or make a step fail, at each of them.
//
// A build with the tag faultpoints counts the passages of its points and prints
// each to standard error. INOSYNCD_FAULT=n:kill ends the process by SIGKILL at
// the n-th passage of any point. INOSYNCD_FAULT=n:fail has the n-th passage of
// a [Fail] return an error instead; only steps that can fail have one. Any
// other build has nothing of this: its points are empty, and inlined.
//
// The tag also has the program look at what it leaves at its end, see package leak.
//
// # Ordering, blocking and shutdown
//
// Any goroutine may pass a point. Passages are counted in one order, and each is
// printed before it takes effect. There is nothing to close.
package fault
