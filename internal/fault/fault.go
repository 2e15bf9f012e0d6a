// Package fault names the steps between an event and its confirmation, so that
// a test can have the daemon killed, or a step fail, at every one of them.
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
// Points are passed by any goroutine. They are counted in one order, and a
// passage is printed before it has its effect. There is nothing to be closed.
package fault
