package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// tree is the shape of a source: so many files of so many bytes, spread over so
// many directories.
type tree struct{ files, dirs, size int }

// small is the tree of most scenarios.
func (b *bench) smallTree() tree { return tree{b.small, (b.small + 99) / 100, 4096} }

// dir and file are the paths of number i. No directory has more than a hundred
// others in it.
func (t tree) dir(i int) string  { return fmt.Sprintf("t%d/d%d", i/100, i) }
func (t tree) file(i int) string { return fmt.Sprintf("%s/f%d", t.dir(i%t.dirs), i) }

// fill makes the tree below top.
func (t tree) fill(top string) error {
	for i := range t.dirs {
		if err := os.MkdirAll(filepath.Join(top, t.dir(i)), 0o755); err != nil {
			return err
		}
	}
	content := make([]byte, t.size)
	for i := range t.files {
		if err := os.WriteFile(filepath.Join(top, t.file(i)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
