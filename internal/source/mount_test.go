package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

// TestCheckMounts mounts on the source and unmounts it. The mounts belong to a
// thread that ends with the test.
func TestCheckMounts(t *testing.T) {
	labtest.PrivateMounts(t)
	dir := t.TempDir()
	path, disk := filepath.Join(dir, "src"), filepath.Join(dir, "disk")
	must(t, os.Mkdir(path, 0o700), os.Mkdir(disk, 0o700), unix.Mount("tmpfs", disk, "tmpfs", 0, ""))
	onTop := func() error { return unix.Mount(disk, path, "", unix.MS_BIND, "") }
	off := func() error { return unix.Unmount(path, 0) }
	must(t, onTop())
	r := source.New(path)
	must(t, r.Adopt())

	steps := []struct {
		name string
		do   func() error
		gone bool
	}{
		{"unmounted", off, true},
		{"another file system in its place", func() error { return unix.Mount("tmpfs", path, "tmpfs", 0, "") }, true},
		{"that one unmounted", off, true},
		{"mounted again", onTop, false},
		{"mounted read-only", func() error { return unix.Mount("", path, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "") }, false},
		{"something mounted over it", func() error { return unix.Mount("tmpfs", path, "tmpfs", 0, "") }, true},
		{"that taken away", off, false},
	}
	for _, step := range steps {
		must(t, step.do())
		if err := r.Check(); errors.Is(err, source.ErrGone) != step.gone {
			t.Errorf("Check() after %q: got %v, want gone %v", step.name, err, step.gone)
		}
	}
	must(t, off(), unix.Unmount(disk, 0))
}

// TestUnmounted mounts and unmounts below the source.
func TestUnmounted(t *testing.T) {
	labtest.PrivateMounts(t)
	path := t.TempDir()
	odd := "d/odd \\name\n"
	must(t, os.MkdirAll(filepath.Join(path, odd), 0o700), os.Mkdir(path+"/top", 0o700))
	r := source.New(path)
	must(t, r.Adopt())
	mount := func(place string) func() error {
		return func() error { return unix.Mount("tmpfs", filepath.Join(path, place), "tmpfs", 0, "") }
	}
	unmount := func(place string) func() error {
		return func() error { return unix.Unmount(filepath.Join(path, place), 0) }
	}
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"none", func() error { return nil }, nil},
		{"mounted", mount(odd), nil},
		{"another", mount("top"), nil},
		{"unmounted", unmount(odd), []string{odd}},
		{"still", func() error { return nil }, []string{odd}},
		{"both", unmount("top"), []string{odd, "top"}},
		{"its directory removed", func() error { return os.Remove(path + "/top") }, []string{odd, "top"}},
		{"mounted again", mount(odd), []string{"top"}},
		{"and unmounted", unmount(odd), []string{odd, "top"}},
		{"removed with the directory above", func() error { return os.RemoveAll(path + "/d") }, []string{"top"}},
		{"adopted", r.Adopt, nil},
	} {
		must(t, step.do())
		dir, err := r.Open()
		must(t, err)
		if got := r.Unmounted(dir); !slices.Equal(got, step.want) {
			t.Errorf("Unmounted, %s: got %q, want %q", step.name, got, step.want)
		}
		must(t, dir.Close())
	}
}
