package e2e_test

import (
	"os"
	"testing"

	"inosyncd/internal/lab"
)

// TestOddNames takes the names that break programs through a life, on the way
// to every kind of node: made, rewritten, moved, removed.
func TestOddNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	remote, _ := s.ssh("remote $(x) 'node'")
	module, _ := s.module("module", "push")
	nodes := []node{s.local("local [node]"), remote, module}
	s.startSynced(s.config("", nodes...), nodes...)
	s.oddNames(nodes...)
}

// oddNames takes the names through a life at the source, and waits for the nodes at
// each turn of it.
func (s *site) oddNames(nodes ...node) {
	t := s.t
	t.Helper()
	names := lab.OddNames()
	for _, name := range names {
		must(t, os.MkdirAll(s.path("d/"+name), 0o755))
		write(t, s.path(name), "1")
		write(t, s.path("d/"+name+"/"+name), "1")
		must(t, os.Symlink(name, s.path("d/"+name+"/link")))
	}
	s.same(nodes...)
	for _, name := range names {
		write(t, s.path(name), "2")
		write(t, s.path("d/"+name+"/"+name), "2")
	}
	s.same(nodes...)
	must(t, os.Mkdir(s.path("moved"), 0o755))
	for _, name := range names {
		must(t, os.Rename(s.path("d/"+name), s.path("moved/"+name)))
	}
	s.same(nodes...)
	for _, name := range names {
		must(t, os.Remove(s.path(name)), os.RemoveAll(s.path("moved/"+name)))
	}
	s.same(nodes...)
}
