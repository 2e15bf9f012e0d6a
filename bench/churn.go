package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// excluded writes to excluded names in a watched directory and in an excluded
// one, and counts what that sets going. Plain rsync is not asked: it knows of no
// changes.
func (b *bench) excluded() error {
	fill := func(source string) error {
		return errors.Join(b.smallTree().fill(source), os.Mkdir(filepath.Join(source, "cache"), 0o755))
	}
	s, err := b.newSite(overDaemon, 1, fill)
	if err != nil {
		return err
	}
	defer s.close()
	label := fmt.Sprintf("%s excluded writes", number(b.churn))
	for _, name := range b.watching() {
		counter, err := b.newCounter()
		if err != nil {
			return err
		}
		r, err := b.newSession(label, s, name, counter.link)
		if err == nil {
			err = r.work(func(r *session) error { return r.churn(counter) })
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (r *session) churn(counter counter) error {
	r.pause() // what the start left behind ends
	runs, used := counter.runs(), r.cpu()
	for i := range r.b.churn {
		for _, file := range []string{"t0/%d.tmp", "cache/%d"} {
			if err := r.write(fmt.Sprintf(file, i%100), "churn"); err != nil {
				return err
			}
		}
	}
	r.pause() // nothing may come of them
	r.add("rsync runs", float64(counter.runs()-runs), "")
	r.add("CPU for each", float64((r.cpu()-used).Microseconds())/float64(2*r.b.churn), "us")
	return nil
}
