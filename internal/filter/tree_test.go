package filter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const linkTarget = "nowhere"

// entry is an entry of a tree; kind is 'f', 'd' or 'l'.
type entry struct {
	path string
	kind byte
}

func (e entry) dir() bool { return e.kind == 'd' }

// tree is a tree of files, each directory before what is in it.
type tree []entry

// make creates the tree in the directory root, which it creates as well.
func (tr tree) make(root string) error {
	if err := os.Mkdir(root, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	for _, e := range tr {
		var err error
		path := filepath.Clean(root) + "/" + e.path
		switch e.kind {
		case 'd':
			err = os.Mkdir(path, 0o755)
		case 'l':
			err = os.Symlink(linkTarget, path)
		default:
			err = unix.Mknod(path, unix.S_IFREG|0o644, 0)
		}
		if err != nil {
			return fmt.Errorf("making %q: %w", path, err)
		}
	}
	return nil
}

// kept returns what a walk from the top finds that rules do not exclude, when
// the tree stands at prefix, which is "" or ends with a slash.
func (tr tree) kept(rules *Rules, prefix string) map[string]bool {
	kept := map[string]bool{}
	for _, e := range tr {
		if up := parent(e.path); up != "" && !kept[up] {
			continue
		}
		if !rules.Match(prefix+e.path, e.dir()) {
			kept[e.path] = true
		}
	}
	return kept
}

// deleted returns what --delete removes of tr when src is mirrored to it: what
// src does not have, in directories that are mirrored, but for what rules
// exclude and the directories that hold such entries.
func (tr tree) deleted(src tree, rules *Rules) map[string]bool {
	sent := src.kept(rules, "")
	sent[""] = true
	deleted, holds := map[string]bool{}, map[string]bool{}
	for i := range tr { // what is in a directory before the directory
		e := tr[len(tr)-1-i]
		up := parent(e.path)
		switch {
		case rules.Excluded(e.path, e.dir()) || sent[e.path]:
			holds[up] = true
		case holds[e.path]:
			holds[up] = true
		default:
			deleted[e.path] = true
		}
	}
	return deleted
}

func parent(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i]
		}
	}
	return ""
}
