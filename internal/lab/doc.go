// Package lab is the equipment for trying a mirror out: stock rsync daemons and
// sshds on loopback, nodes that are silent, slow or gone, a storm of changes,
// the daemon under test as a process, and a comparison of two trees that shares
// no code with what it judges. The integration tests, the demo and the
// benchmarks all use it; what needs a testing.TB is in labtest.
//
// # Ordering
//
// A Start function returns when what it started can be used: a server listens,
// a program has been started. A Stop, Kill or Close function returns when every
// process and goroutine of it has ended.
//
// # Blocking
//
// Everything that waits has a deadline and says in its error what it was
// waiting for. A server's methods are for one goroutine; those of [Proxy],
// [Silent] and [Inosyncd] may be called from several.
//
// # Shutdown
//
// Children die with their owner, also when that is killed: see start. They
// listen on 127.0.0.1 alone.
package lab
