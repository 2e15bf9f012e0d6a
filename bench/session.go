package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"inosyncd/internal/lab"
)

// session is a program at work on a site.
type session struct {
	program
	*site
	b     *bench
	name  string // of the program
	label string // of the scenario, in the report
	own   string // a directory of the source that is this session's
}

const usualRsync = "/usr/bin/rsync"

func (b *bench) newSession(label string, s *site, name, rsync string) (*session, error) {
	dir, err := b.newDir()
	if err != nil {
		return nil, err
	}
	p := b.open(name, dir, rsync, s)
	if name == eager {
		name = ours
	}
	own := "z" + filepath.Base(dir) // is compared after everything else
	return &session{p, s, b, name, label, own}, os.Mkdir(filepath.Join(s.source, own), 0o755)
}

// each lets programs mirror a site one after another, and calls f when its
// first comparison is over.
func (b *bench) each(label string, s *site, programs []string, f func(*session) error) error {
	for _, name := range programs {
		r, err := b.newSession(label, s, name, usualRsync)
		if err == nil {
			err = r.work(func(r *session) error { return errors.Join(f(r), r.equal()) })
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// work starts the program, calls f and stops the program.
func (r *session) work(f func(*session) error) error {
	if err := r.start(); err != nil {
		return err
	}
	defer r.stop()
	if _, err := r.one(filepath.Join(r.own, "probe"), startLimit); err != nil {
		return err
	}
	return f(r)
}

// equal waits until every node of inosyncd is equal to the source: what is quick
// and wrong does not count.
func (r *session) equal() error {
	if r.name != ours {
		return nil
	}
	var mirrors []string
	for _, n := range r.nodes {
		mirrors = append(mirrors, n.mirror)
	}
	return lab.WaitConverged(arriveLimit, lab.CompareOptions{}, r.source, mirrors...)
}

// add adds to the report.
func (r *session) add(measure string, value float64, unit string) {
	r.b.report.add(result{r.label, measure, r.name, value, unit, false})
}

// addTime adds how long something took, or that it was late, which is a result
// and no error.
func (r *session) addTime(measure string, d time.Duration, err error) error {
	late := errors.Is(err, errLate)
	if err != nil && !late {
		return err
	}
	r.b.report.add(result{r.label, measure, r.name, ms(d), "ms", late})
	return nil
}

// one times one change of 4 KiB, from before the write until every node has the
// new content under the file's name.
func (r *session) one(name string, limit time.Duration) (time.Duration, error) {
	stamp := fmt.Sprint(time.Now().UnixNano())
	return r.until(limit,
		func() error { return r.write(name, stamp) },
		func(mirror string) bool { return has(filepath.Join(mirror, name), 0, stamp) })
}

// until times a change until it has arrived on every node.
func (r *session) until(limit time.Duration, change func() error, arrived func(mirror string) bool) (time.Duration, error) {
	began := time.Now()
	if err := change(); err != nil {
		return 0, err
	}
	told := make(chan error, 1)
	go func() { told <- r.changed() }()
	err := r.await(limit, arrived)
	took := time.Since(began)
	return took, errors.Join(<-told, err)
}
