package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// startLimit is how long a program may take until it mirrors, and a change may
// take until it has arrived.
const startLimit = 2 * time.Minute

// latency times one change of 4 KiB, from before the write until every node has
// the new content under the file's name.
func (b *bench) latency(nodes int, t tree) error {
	dir := filepath.Join(b.dir, fmt.Sprintf("latency%d-%d-%d", nodes, t.files, t.perDir))
	s, err := newSite(dir, nodes, t)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	for _, name := range b.programs {
		took, err := b.timeChanges(b.open(name, filepath.Join(dir, name), "/usr/bin/rsync", s), s, t)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.report.add(b.scenario, "median", name, ms(median(took)), "ms")
		b.report.add(b.scenario, "worst", name, ms(took[len(took)-1]), "ms")
	}
	return nil
}

func (b *bench) timeChanges(p program, s *site, t tree) ([]time.Duration, error) {
	if err := ready(p, s); err != nil {
		return nil, err
	}
	defer p.stop()
	var took []time.Duration
	for i := range b.samples {
		time.Sleep(b.pause)
		stamp := fmt.Sprint(time.Now().UnixNano())
		d, err := timeOne(p, s, t.file(i*t.files/b.samples), stamp)
		if err != nil {
			return nil, err
		}
		took = append(took, d)
	}
	return took, nil
}

// ready starts a program and returns when a change has arrived, so that its
// first comparison is over.
func ready(p program, s *site) error {
	if err := p.start(); err != nil {
		return err
	}
	_, err := timeOne(p, s, "probe", fmt.Sprint(time.Now().UnixNano()))
	if err != nil {
		p.stop()
	}
	return err
}

func timeOne(p program, s *site, name, stamp string) (time.Duration, error) {
	told := make(chan error, 1)
	began := time.Now()
	if err := s.write(name, stamp); err != nil {
		return 0, err
	}
	go func() { told <- p.changed() }()
	err := s.await(name, stamp, startLimit)
	took := time.Since(began)
	if e := <-told; e != nil {
		err = e
	}
	return took, err
}
