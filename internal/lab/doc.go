// Package lab is test equipment for mirrors: stock rsync daemons and sshds on
// loopback, nodes that are silent, slow or gone, storms of changes, the daemon under
// test as a process, and a comparison of two trees that shares no code with the
// product. Integration tests, demo and benchmarks use it; helpers that need a
// testing.TB are in labtest.
//
// # Ordering
//
// A Start function returns when what it started is usable: a server listens, a
// program runs. A Stop, Kill or Close function returns when all its processes and
// goroutines have ended.
//
// # Blocking
//
// Everything that waits has a deadline and says in its error what it was
// waiting for. A server's methods are for one goroutine; those of [Proxy],
// [Silent] and [Inosyncd] may be called from several.
//
// # Shutdown
//
// Children die with their owner, even if it is killed: see start. They listen on
// 127.0.0.1 only.
package lab
