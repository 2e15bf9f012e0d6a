package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// TestMaxDelete removes more than is allowed: all of it waits for a person,
// and nothing else does.
func TestMaxDelete(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	n.yaml = fmt.Sprintf("{target: %q, max_delete: 3}", n.name)
	for i := range 10 {
		write(t, s.path(fmt.Sprint("old", i)), "o")
	}
	s.startSynced(s.config("edelay: 300ms", n), n)
	s.same(n)

	for i := range 5 {
		must(t, os.Remove(s.path(fmt.Sprint("old", i))))
	}
	l := s.wait(1, "held", "node", n.name)
	if reason := fmt.Sprint(l.Attrs["reason"]); !strings.Contains(reason, "5 entries would be removed") {
		t.Errorf("held: got reason %q, want the number of entries", reason)
	}
	write(t, s.path("new"), "n")
	holds(t, n.dst+"/new", "n")
	for i := range 10 {
		if name := fmt.Sprint("old", i); !exists(n.dst + "/" + name) {
			t.Errorf("%q was removed, though the batch is held", name)
		}
	}
	s.command("approve", n.name)
	s.same(n)
	for i := range 3 { // as many as are allowed
		must(t, os.Remove(s.path(fmt.Sprint("old", 5+i))))
	}
	s.same(n)
	if got := len(s.Lines("held")); got != 1 {
		t.Errorf("removals within the limit: got %d lines of held, want the one before", got)
	}
}

// TestFullNode fills the node's file system up, and makes room there.
func TestFullNode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	labtest.PrivateMounts(t)
	disk := s.dir + "/disk"
	must(t, os.Mkdir(disk, 0o755), unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"))
	n, healthy := s.local("disk/copy"), s.local("healthy")
	write(t, s.path("file"), "old")
	s.startSynced(s.config("", n, healthy), n, healthy)

	write(t, disk+"/hog", strings.Repeat("x", 700_000))
	big := strings.Repeat("new", 200_000)
	write(t, s.path("file"), big)
	l := s.wait(1, "push failed", "node", n.name)
	if err := fmt.Sprint(l.Attrs["err"]); !strings.Contains(err, "No space left on device") {
		t.Errorf("the failure in the log: got %q, want that there is no space", err)
	}
	holds(t, healthy.dst+"/file", big)
	holds(t, n.dst+"/file", "old")
	must(t, os.Remove(disk+"/hog"))
	s.same(n, healthy)
}

// TestSlowNodeDelaysNobody has a node behind a line of 2 kB/s, which is busy for
// longer than the test lasts.
func TestSlowNodeDelaysNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	healthy := s.local("healthy")
	slow, daemon := s.module("slow", "")
	proxy, err := lab.StartProxy(daemon.Port(), lab.ProxyOptions{Rate: 2_000})
	must(t, err)
	defer proxy.Close() // before the daemon is stopped, so that nothing is left to wait for
	slow.name = fmt.Sprintf("rsync://127.0.0.1:%d/slow/", proxy.Port())
	slow.yaml = fmt.Sprintf("%q", slow.name)
	write(t, s.path("first"), "1")
	s.startSynced(s.config("edelay: 0\nmax_parallel: 2", healthy, slow), healthy, slow)

	write(t, s.path("big"), string(noise(2_000_000)))
	labtest.Eventually(t, func() error { return half(slow.dst) }) // it is on its way
	for i := range 20 {
		write(t, s.path("file"), fmt.Sprint(i))
		holds(t, healthy.dst+"/file", fmt.Sprint(i))
	}
	if exists(slow.dst + "/big") { // they would have come after it
		t.Error("the changes on the healthy node waited for the slow one, or that was not slow")
	}
}

// noise is n bytes that no compression makes fewer.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// half returns an error unless a directory has a temporary file of rsync's for
// "big": rsync(1), --temp-dir.
func half(dir string) error {
	if names, err := filepath.Glob(dir + "/.big.*"); err != nil || len(names) != 1 {
		return fmt.Errorf("temporary files in %q: got %q, want one", dir, names)
	}
	return nil
}

// TestKilledRsync kills every rsync in the middle of a file. What has its name is
// the old version or the new one; what was left is swept by the next comparison.
func TestKilledRsync(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	old, now := noise(1000), noise(3_000_000)
	must(t, os.WriteFile(s.path("big"), old, 0o644))
	// Were it tried again, as one that was armed is at once, the new version
	// would replace the old one soon.
	s.startSynced(s.config("rspeed: 100\nmax_armed: 0\nretry_min: 10m\nretry_max: 10m", n), n)

	must(t, os.WriteFile(s.path("big"), now, 0o644))
	labtest.Eventually(t, func() error { return half(n.dst) })
	// All are stopped before the first is killed: a receiver that runs on sees its
	// sender gone, and tidies up.
	pids := below(s.PID())
	for _, signal := range []unix.Signal{unix.SIGSTOP, unix.SIGKILL} {
		for _, pid := range pids {
			_ = unix.Kill(pid, signal)
		}
	}
	s.wait(1, "push failed", "node", n.name)
	got, err := os.ReadFile(n.dst + "/big")
	must(t, err)
	if !bytes.Equal(got, old) {
		t.Errorf("the file after the kill: got %d bytes that are not the old version", len(got))
	}
	must(t, half(n.dst)) // left by the kill: without it, the test shows nothing

	must(t, s.Configure(s.config("", n)), s.Signal(unix.SIGHUP)) // as fast as it can
	s.command("resync")
	s.same(n) // which has no temporary file
}
