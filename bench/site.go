package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"inosyncd/internal/lab"
)

// tree is the shape of a source: so many files of 4 KiB, so many of them in each
// directory.
type tree struct{ files, perDir int }

func (t tree) String() string {
	return fmt.Sprintf("files %d in %d", t.files, (t.files+t.perDir-1)/t.perDir)
}

// file is the path of the file of number i.
func (t tree) file(i int) string { return fmt.Sprintf("d%d/f%d", i/t.perDir, i) }

// site is a source and the rsync daemons of its mirrors.
type site struct {
	source  string
	mirrors []string // directories
	urls    []string // of the same
	daemons []*lab.Daemon
	writes  int
}

// newSite makes a site whose mirrors are equal to the source.
func newSite(dir string, nodes int, t tree) (*site, error) {
	s := &site{source: filepath.Join(dir, "source")}
	if err := s.fill(t); err != nil {
		return nil, err
	}
	for i := range nodes {
		own := filepath.Join(dir, fmt.Sprintf("node%d", i))
		mirror := filepath.Join(own, "mirror")
		if err := os.MkdirAll(mirror, 0o755); err != nil {
			return s, err
		}
		d, err := lab.StartDaemon(own, lab.DaemonOptions{Modules: []lab.Module{{Name: "m", Path: mirror}}})
		if err != nil {
			return s, err
		}
		s.daemons = append(s.daemons, d)
		s.mirrors = append(s.mirrors, mirror)
		s.urls = append(s.urls, d.URL("", "m"))
	}
	return s, (&plainRsync{site: s}).changed()
}

func (s *site) fill(t tree) error {
	content := bytes.Repeat([]byte{'x'}, 4096)
	for i := range t.files {
		name := filepath.Join(s.source, t.file(i))
		if i%t.perDir == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
	}
	return os.MkdirAll(s.source, 0o755)
}

func (s *site) close() {
	for _, d := range s.daemons {
		d.Stop()
	}
}

// write writes 4 KiB that begin with stamp into a file of the source, and some
// bytes more each time: by default rsync takes a file for unchanged that was
// written twice within a second at the same size.
func (s *site) write(name, stamp string) error {
	s.writes++
	content := bytes.Repeat([]byte{'y'}, 4096+s.writes%100)
	copy(content, stamp)
	return os.WriteFile(filepath.Join(s.source, name), content, 0o644)
}

// await returns when every mirror has a file that begins with stamp.
func (s *site) await(name, stamp string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	head := make([]byte, len(stamp))
	for _, mirror := range s.mirrors {
		file := filepath.Join(mirror, name)
		for !begins(file, stamp, head) {
			if time.Now().After(deadline) {
				return fmt.Errorf("%s has not arrived in %s after %v", name, mirror, limit)
			}
			time.Sleep(100 * time.Microsecond)
		}
	}
	return nil
}

func begins(file, stamp string, buf []byte) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	n, _ := f.ReadAt(buf, 0)
	return string(buf[:n]) == stamp
}
