package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inosyncd/internal/lab"
)

// storm makes a storm over the source, which also moves entries out to a
// directory beside it and back in.
func (s *site) storm(seed uint64) *lab.Storm {
	return s.stormTo(seed, filepath.Join(s.dir, "outside"))
}

// stormTo is storm with another directory beside the source; "" is none.
func (s *site) stormTo(seed uint64, outside string) *lab.Storm {
	if outside != "" {
		must(s.t, os.MkdirAll(outside, 0o755))
	}
	storm := lab.NewStorm(s.src, lab.StormOptions{Seed: seed, Outside: outside})
	s.t.Cleanup(func() {
		if s.t.Failed() {
			done := storm.Done()
			s.t.Logf("the last changes of storm %d:\n%s", seed, strings.Join(done[max(0, len(done)-250):], "\n"))
		}
	})
	return storm
}

// TestStorm sends everything that can happen to a tree to every kind of node,
// by rsyncs that were armed and by others.
func TestStorm(t *testing.T) {
	for max, seed := range map[string]uint64{"max_armed: 0": 1, "max_armed: 16": 2} {
		t.Run(max, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			remote, _ := s.ssh("remote")
			locked, _ := s.module("locked", "push")
			open, _ := s.module("open", "")
			nodes := []node{s.local("local"), remote, locked, open}

			storm := s.storm(seed)
			must(t, storm.Step(200)) // what the first full sync finds
			s.start(s.config(max, nodes...))
			for range 3 {
				must(t, storm.Step(250))
				s.same(nodes...)
			}
		})
	}
}

// TestStormWithKills ends the daemon in the hardest way, again and again, and
// goes on without it for a while.
func TestStormWithKills(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	storm := s.storm(2)
	config := s.config("", n)
	for range 5 {
		s.start(config)
		s.wait(1, "pushed", "node", n.name)
		must(t, storm.Step(100))
		s.wait(2, "pushed", "node", n.name) // some of it, mostly
		s.Kill()
		must(t, storm.Step(50))
	}
	s.start(config)
	s.same(n)
}
