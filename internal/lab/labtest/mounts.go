package labtest

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// PrivateMounts gives the test and what it starts from now on mounts of their own,
// and skips it where that cannot be. They belong to the goroutine's thread, which
// gets the old ones back at the end: it may have started children of other tests,
// which die with it.
func PrivateMounts(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it mounts file systems")
	}
	runtime.LockOSThread()
	old, err1 := os.Open("/proc/thread-self/ns/mnt")
	at, err2 := os.Open(".")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// setns(2) leads to the root directory.
		err1, err2 := unix.Setns(int(old.Fd()), unix.CLONE_NEWNS), unix.Fchdir(int(at.Fd()))
		if err := errors.Join(err1, err2, old.Close(), at.Close()); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	})
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Skipf("needs a mount namespace of its own: %v", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
}
