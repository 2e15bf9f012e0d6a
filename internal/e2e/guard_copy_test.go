package e2e_test

import (
	"fmt"
	"os"
	"testing"

	"inosyncd/internal/lab/labtest"
)

// TestScheduleRepairsTheNode changes the copy, which no event tells.
func TestScheduleRepairsTheNode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.Mkdir(s.path("d"), 0o755))
	for _, name := range []string{"d/changed", "d/removed", "kept"} {
		write(t, s.path(name), name)
	}
	s.startSynced(s.config("schedule: '@every 1s'", n), n)
	s.same(n)
	write(t, n.dst+"/d/changed", "by somebody")
	write(t, n.dst+"/d/stray", "by somebody")
	must(t, os.Remove(n.dst+"/d/removed"), os.Chmod(n.dst+"/kept", 0o600))
	s.same(n)
}

// TestMovedFileIsSomewhere moves a file to and fro. On the node, the new name is
// there before the old one goes.
func TestMovedFileIsSomewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	names := []string{"a/file", "b/file"}
	must(t, os.Mkdir(s.path("a"), 0o755), os.Mkdir(s.path("b"), 0o755))
	must(t, os.WriteFile(s.path(names[0]), noise(3_000_000), 0o644))
	s.startSynced(s.config("edelay: 0", n), n)
	s.same(n)
	for i := range 6 {
		from, to := names[i%2], names[(i+1)%2]
		must(t, os.Rename(s.path(from), s.path(to)))
		labtest.Eventually(t, func() error {
			for range 2000 { // without a pause between
				if exists(n.dst + "/" + from) {
					continue
				}
				if !exists(n.dst + "/" + to) {
					t.Fatalf("move %d: the file is nowhere on the node", i)
				}
				return nil
			}
			return fmt.Errorf("%q is still on the node", from)
		})
	}
}
