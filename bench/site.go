package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// site is a source and its nodes.
type site struct {
	dir    string // of all that is made
	source string
	nodes  []node
	writes *int // so far
}

// newSite makes a site whose nodes are equal to the source that fill makes.
func (b *bench) newSite(t transport, nodes int, fill func(source string) error) (*site, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	s := &site{dir: dir, source: filepath.Join(dir, "source"), writes: new(int)}
	if err := errors.Join(os.Mkdir(s.source, 0o755), fill(s.source)); err != nil {
		return nil, err
	}
	for i := range nodes {
		n, err := newNode(filepath.Join(dir, fmt.Sprint("n", i)), t)
		if err == nil {
			s.nodes = append(s.nodes, n)
			err = seed(s.source, n.mirror)
		}
		if err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// seed makes a mirror equal to the source.
func seed(source, mirror string) error {
	if out, err := exec.Command("rsync", "-a", source+"/", mirror+"/").CombinedOutput(); err != nil {
		return fmt.Errorf("filling a mirror: %w: %s", err, out)
	}
	return nil
}

// part is the site with only the nodes from i to j.
func (s *site) part(i, j int) *site {
	some := *s
	some.nodes = s.nodes[i:j]
	return &some
}

// close stops the nodes and removes everything.
func (s *site) close() {
	var wg sync.WaitGroup
	for _, n := range s.nodes {
		wg.Go(n.stop) // a server takes its time
	}
	wg.Wait()
	_ = os.RemoveAll(s.dir)
}

// write writes 4 KiB that begin with stamp into a file of the source, and some
// bytes more each time: by default rsync takes a file for unchanged that was
// written twice within a second at the same size.
func (s *site) write(name, stamp string) error {
	*s.writes++
	content := make([]byte, 4096+*s.writes%100)
	copy(content, stamp)
	return os.WriteFile(filepath.Join(s.source, name), content, 0o644)
}

// startLimit is how long a program may take until it mirrors, and arriveLimit
// how long a change may take afterwards.
const (
	startLimit  = 10 * time.Minute
	arriveLimit = 30 * time.Second
)

// errLate is returned when something has not arrived in time.
var errLate = errors.New("has not arrived in time")

// await returns when f holds for every node's mirror.
func (s *site) await(limit time.Duration, f func(mirror string) bool) error {
	deadline := time.Now().Add(limit)
	for _, n := range s.nodes {
		for !f(n.mirror) {
			if time.Now().After(deadline) {
				return fmt.Errorf("in %s: %w", n.mirror, errLate)
			}
			time.Sleep(100 * time.Microsecond)
		}
	}
	return nil
}

// has is whether a file has stamp at an offset.
func has(file string, at int64, stamp string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	buf := make([]byte, len(stamp))
	n, _ := f.ReadAt(buf, at)
	return string(buf[:n]) == stamp
}
