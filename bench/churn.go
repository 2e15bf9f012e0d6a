package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// churn writes to excluded names in a watched directory and in an excluded one,
// and counts what that sets going. Plain rsync is not asked: it knows of no
// changes.
func (b *bench) churn() error {
	dir := filepath.Join(b.dir, "churn")
	s, err := newSite(dir, 1, tree{files: b.small, perDir: 100})
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(s.source, "cache"), 0o755); err != nil {
		return err
	}
	for _, name := range b.programs {
		if name == "rsync" {
			continue
		}
		count, err := newCounter(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		p := b.open(name, filepath.Join(dir, name), count.link, s)
		if err := b.countChurn(p, s, name, count); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) countChurn(p program, s *site, name string, count counter) error {
	if err := ready(p, s); err != nil {
		return err
	}
	defer p.stop()
	// One more change, so that what the start left behind is over.
	if _, err := timeOne(p, s, "probe", fmt.Sprint(time.Now().UnixNano())); err != nil {
		return err
	}
	runs, used := count.runs(), p.cpu()
	for i := range b.options.churn {
		for _, file := range []string{"d0/%d.tmp", "cache/%d"} {
			if err := s.write(fmt.Sprintf(file, i%100), "churn"); err != nil {
				return err
			}
		}
	}
	// A change that is mirrored comes after all that is not.
	if _, err := timeOne(p, s, "probe", fmt.Sprint(time.Now().UnixNano())); err != nil {
		return err
	}
	writes := float64(2 * b.options.churn)
	b.report.add(b.scenario, "rsync runs beyond the one needed", name, float64(count.runs()-runs-1), "")
	b.report.add(b.scenario, "CPU for each write", name, float64((p.cpu()-used).Microseconds())/writes, "us")
	return nil
}
