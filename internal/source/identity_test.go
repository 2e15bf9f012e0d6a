package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

// TestCheckWithoutHandles takes what tells one directory from another away, all
// but one: neither of these file systems has handles or times of birth. Of two
// devpts even the inode numbers of the roots are the same.
func TestCheckWithoutHandles(t *testing.T) {
	labtest.PrivateMounts(t)
	mount := func(kind string) string {
		t.Helper()
		dir := t.TempDir()
		if err := unix.Mount(kind, dir, kind, 0, ""); err != nil {
			t.Skipf("needs the file system %s: %v", kind, err)
		}
		t.Cleanup(func() { // before the directory is removed: devpts lets nobody remove what is in it
			for mounted := true; mounted; {
				mounted = unix.Unmount(dir, unix.MNT_DETACH) == nil
			}
		})
		return dir
	}
	check := func(what string, r *source.Root) {
		t.Helper()
		if err := r.Check(); !errors.Is(err, source.ErrGone) {
			t.Errorf("Check() of %s: got %v, want that the source is gone", what, err)
		}
	}

	r := source.New(mount("devpts"))
	must(t, r.Adopt(), r.Check(), unix.Mount("devpts", r.Path(), "devpts", 0, ""))
	check("another file system", r)

	r = source.New(filepath.Join(mount("ramfs"), "src"))
	must(t, os.Mkdir(r.Path(), 0o700), r.Adopt(), r.Check())
	must(t, os.Rename(r.Path(), r.Path()+".away"), os.Mkdir(r.Path(), 0o700))
	check("another directory of the same file system", r)
}
