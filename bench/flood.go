package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// flood makes many small files at once, and waits until three nodes have them
// all. It counts from the first write; plain rsync starts after the last.
func (b *bench) flood() error {
	dir := filepath.Join(b.dir, "flood")
	s, err := newSite(dir, 3, tree{files: b.small, perDir: 100})
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	for _, name := range b.programs {
		count, err := newCounter(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		p := b.open(name, filepath.Join(dir, name), count.link, s)
		if err := b.timeFlood(p, s, name, count); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) timeFlood(p program, s *site, name string, count counter) error {
	if err := ready(p, s); err != nil {
		return err
	}
	defer p.stop()
	runs, used := count.runs(), p.cpu()
	began := time.Now()
	files, err := makeFlood(s.source, "flood-"+name, b.options.flood)
	if err != nil {
		return err
	}
	if err := p.changed(); err != nil {
		return err
	}
	for _, mirror := range s.mirrors {
		for _, file := range files {
			if err := awaitSize(filepath.Join(mirror, file), 1024); err != nil {
				return err
			}
		}
	}
	b.report.add(b.scenario, "time", name, ms(time.Since(began)), "ms")
	if name == "rsync" {
		return nil // is not asked for what it spends
	}
	b.report.add(b.scenario, "rsync runs", name, float64(count.runs()-runs), "")
	b.report.add(b.scenario, "CPU of the sender", name, ms(p.cpu()-used), "ms")
	return nil
}

func makeFlood(source, dir string, n int) ([]string, error) {
	content := make([]byte, 1024)
	var files []string
	for i := range n {
		sub := filepath.Join(dir, fmt.Sprint(i/100))
		if i%100 == 0 {
			if err := os.MkdirAll(filepath.Join(source, sub), 0o755); err != nil {
				return nil, err
			}
		}
		file := filepath.Join(sub, fmt.Sprint(i))
		if err := os.WriteFile(filepath.Join(source, file), content, 0o644); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func awaitSize(file string, size int64) error {
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if st, err := os.Lstat(file); err == nil && st.Size() == size {
			return nil
		}
	}
	return fmt.Errorf("%s has not arrived after %v", file, startLimit)
}
