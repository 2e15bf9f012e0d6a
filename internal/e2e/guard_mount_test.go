package e2e_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
)

// TestSourceUnmounted takes the file system of the source away, which leaves
// the empty directory that it was mounted on, and brings it back.
func TestSourceUnmounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	labtest.PrivateMounts(t)
	n := s.local("local")
	disk := s.dir + "/disk"
	must(t, os.Mkdir(disk, 0o755))
	mount := func() { must(t, unix.Mount(disk, s.src, "", unix.MS_BIND, "")) }
	mount()
	write(t, s.path("kept"), "k")
	write(t, s.path("removed"), "r")
	s.startSynced(s.config("", n), n)
	s.same(n)

	// An armed rsync keeps it in use for a while: umount(2), MNT_DETACH.
	must(t, unix.Unmount(s.src, unix.MNT_DETACH))
	s.wait(1, held, "mirror", "site")
	write(t, s.path("stray"), "in the directory below")
	must(t, os.Remove(disk+"/removed"))
	write(t, disk+"/new", "n")
	s.command("resync")
	if exists(n.dst+"/stray") || !exists(n.dst+"/kept") || !exists(n.dst+"/removed") {
		t.Error("what a lost mount left was taken for the source")
	}

	must(t, os.Remove(s.path("stray")))
	mount()
	s.same(n)
	write(t, s.path("later"), "l")
	holds(t, n.dst+"/later", "l")
}

// TestSourceUnmountedForGood has another file system, which is empty, in the
// place of the source's. With nothing armed, the source can be unmounted as soon
// as no push runs.
func TestSourceUnmountedForGood(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	labtest.PrivateMounts(t)
	n := s.local("local")
	mount := func() { must(t, unix.Mount("tmpfs", s.src, "tmpfs", 0, "")) }
	mount()
	write(t, s.path("kept"), "k")
	s.startSynced(s.config("max_armed: 0", n), n)
	holds(t, n.dst+"/kept", "k")

	labtest.Eventually(t, func() error { return unix.Unmount(s.src, 0) })
	s.wait(1, held, "mirror", "site")
	mount()
	write(t, s.path("stray"), "s")
	s.command("resync")
	_, err := s.Stop()
	must(t, err)
	if exists(n.dst+"/stray") || !exists(n.dst+"/kept") {
		t.Error("another file system at the path of the source was taken for it")
	}
}

// TestMountBelowUnmounted takes a file system away that is mounted below the source:
// the directory that this uncovers empties no node, and the rest goes on.
func TestMountBelowUnmounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	labtest.PrivateMounts(t)
	n := s.local("local")
	disk, place := s.dir+"/disk", s.path("d/odd name")
	must(t, os.Mkdir(disk, 0o755), os.MkdirAll(place, 0o755))
	mount := func() { must(t, unix.Mount(disk, place, "", unix.MS_BIND, "")) }
	mount()
	write(t, place+"/kept", "k")
	write(t, s.path("d/gone"), "g")
	s.startSynced(s.config("max_armed: 0", n), n)
	s.same(n)

	labtest.Eventually(t, func() error { return unix.Unmount(place, 0) })
	must(t, os.Remove(s.path("d/gone")))
	s.command("resync") // inotify does not tell of the end of a bind mount
	s.wait(1, "push failed", "node", n.name)
	write(t, place+"/stray", "in the directory below")
	write(t, s.path("d/new"), "n")
	holds(t, n.dst+"/d/new", "n")
	labtest.Eventually(t, func() error {
		if exists(n.dst + "/d/gone") {
			return errors.New("what was removed beside it is still there")
		}
		return nil
	})
	if exists(n.dst+"/d/odd name/stray") || !exists(n.dst+"/d/odd name/kept") {
		t.Error("what a lost mount left was taken for what was in it")
	}
	if got := s.node(n); got.InSync || got.Cure == nil || !strings.Contains(*got.Cure, "mount it") {
		t.Errorf("the node: got %+v, want it not in sync, with the cure", got)
	}

	must(t, os.Remove(place+"/stray"))
	mount()
	s.same(n)
}
