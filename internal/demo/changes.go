package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"inosyncd/internal/lab"
)

// change is something that happens to the source.
type change struct {
	name    string
	make    func(dir string) error
	arrived func(dir string) bool // whether a mirror has it
}

// The excluded names are written before something that is mirrored, so that
// when this has arrived they would have, too.
var changes = []change{
	{"create a file", put("news.html", "fresh\n"), equal("news.html", "fresh\n")},
	{"rewrite it at the same size", put("news.html", "newer\n"), equal("news.html", "newer\n")},
	{"create a directory with 500 files", putMany, hasMany},
	{"rename that directory", rename("many", "more"), both(equal("more/f499", "499"), gone("many"))},
	{"change a mode", chmod("index.html", 0o600), mode("index.html", 0o600)},
	{"rewrite 64 MiB", put("large", string(bytes.Repeat([]byte("inosyncd"), 8<<20))), size("large", 64<<20)},
	{"delete the directory", remove("more"), gone("more")},
	{"after writing excluded files, create another", all(
		put("notes.swp", "scratch"), put("cache/page", "scratch"), put("last.html", "last\n"),
	), equal("last.html", "last\n")},
}

func put(name, text string) func(string) error {
	return func(dir string) error {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, []byte(text), 0o644)
	}
}

func putMany(dir string) error {
	for i := range 500 {
		if err := put(fmt.Sprintf("many/f%d", i), fmt.Sprint(i))(dir); err != nil {
			return err
		}
	}
	return nil
}

func all(steps ...func(string) error) func(string) error {
	return func(dir string) error {
		for _, step := range steps {
			if err := step(dir); err != nil {
				return err
			}
		}
		return nil
	}
}

func rename(from, to string) func(string) error {
	return func(dir string) error { return os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)) }
}

func remove(name string) func(string) error {
	return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
}

func chmod(name string, m os.FileMode) func(string) error {
	return func(dir string) error { return os.Chmod(filepath.Join(dir, name), m) }
}

func equal(name, text string) func(string) bool {
	return func(dir string) bool {
		got, err := os.ReadFile(filepath.Join(dir, name))
		return err == nil && string(got) == text
	}
}

func hasMany(dir string) bool {
	for i := range 500 {
		if !equal(fmt.Sprintf("many/f%d", i), fmt.Sprint(i))(dir) {
			return false
		}
	}
	return true
}

func gone(name string) func(string) bool {
	return func(dir string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return errors.Is(err, os.ErrNotExist)
	}
}

func mode(name string, m os.FileMode) func(string) bool {
	return func(dir string) bool {
		st, err := os.Lstat(filepath.Join(dir, name))
		return err == nil && st.Mode().Perm() == m
	}
}

func size(name string, n int64) func(string) bool {
	return func(dir string) bool {
		st, err := os.Lstat(filepath.Join(dir, name))
		return err == nil && st.Size() == n
	}
}

func both(a, b func(string) bool) func(string) bool {
	return func(dir string) bool { return a(dir) && b(dir) }
}

// site is the source and its two nodes.
type site struct {
	source  string
	mirrors []string
	daemons []*lab.Daemon
}

func newSite(dir string) (*site, error) {
	s := &site{source: filepath.Join(dir, "source")}
	if err := put("index.html", "version 1\n")(s.source); err != nil {
		return nil, err
	}
	for _, node := range []string{"node1", "node2"} {
		own := filepath.Join(dir, node)
		mirror := filepath.Join(own, "site")
		if err := os.MkdirAll(mirror, 0o755); err != nil {
			return s, err
		}
		d, err := lab.StartDaemon(own, lab.DaemonOptions{Modules: []lab.Module{{Name: "site", Path: mirror}}})
		if err != nil {
			return s, err
		}
		s.daemons = append(s.daemons, d)
		s.mirrors = append(s.mirrors, mirror)
	}
	return s, nil
}

func (s *site) close() {
	for _, d := range s.daemons {
		d.Stop()
	}
}

// await waits until every mirror has what is looked for, and returns how long
// that took each, from began.
func (s *site) await(began time.Time, arrived func(string) bool) ([]time.Duration, error) {
	times := make([]time.Duration, len(s.mirrors))
	errs := make([]error, len(s.mirrors))
	var wg sync.WaitGroup
	for i, mirror := range s.mirrors {
		wg.Go(func() {
			for !arrived(mirror) {
				if time.Since(began) > limit {
					errs[i] = fmt.Errorf("not there in %s after %v", mirror, limit)
					return
				}
				time.Sleep(500 * time.Microsecond)
			}
			times[i] = time.Since(began)
		})
	}
	wg.Wait()
	return times, errors.Join(errs...)
}
