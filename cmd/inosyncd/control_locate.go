package main

import (
	"os"
	"path/filepath"
	"strings"

	"inosyncd/config"
	"inosyncd/internal/control"
)

// place is a path in the tree of a mirror.
type place struct {
	mirror config.Mirror
	path   string // relative to wpath, "" for that itself
	dir    bool   // it is a directory
}

// locate finds the mirrors in whose trees the absolute path lies, by the
// directories that it really leads through. Its last component is taken as it
// is: a link there is what is mirrored.
func locate(cfg *config.Config, path string) []place {
	slash := strings.HasSuffix(path, "/")
	path = filepath.Clean(path)
	found := filepath.Join(resolve(filepath.Dir(path)), filepath.Base(path))
	var places []place
	for _, m := range cfg.Mirrors {
		root := filepath.Clean(m.WPath)
		rel, ok := below(found, resolve(root))
		if path == root {
			rel, ok = "", true // a link to the tree stands for the tree
		}
		if ok {
			places = append(places, place{m, rel, rel == "" || slash || isDir(path)})
		}
	}
	return places
}

func isDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// resolve follows the links in a path as far as there is something.
func resolve(path string) string {
	found, err := filepath.EvalSymlinks(path)
	parent := filepath.Dir(path)
	if err == nil {
		return found
	}
	if parent == path {
		return path
	}
	return filepath.Join(resolve(parent), filepath.Base(path))
}

// below returns path relative to dir, both without links.
func below(path, dir string) (rel string, ok bool) {
	if path == dir {
		return "", true
	}
	return strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// judge says whether a place is mirrored, and by what rule.
func (p place) judge() control.Explanation {
	e := control.Explanation{Mirror: p.mirror.Name, Mirrored: true, Nodes: []control.Path{}}
	line, excluded, ruled := p.mirror.Rules.Explain(p.path, p.dir)
	if ruled {
		e.Rule = &control.Rule{Text: line.Text, File: line.File, Line: line.Number}
	}
	switch {
	case !p.mirror.Enabled:
		e.Mirrored, e.Reason = false, "the mirror is disabled"
	case excluded && line.File == "":
		e.Mirrored, e.Reason = false, "inosyncd keeps unfinished files under this name"
	case excluded:
		e.Mirrored, e.Reason = false, "excluded"
	case !p.mirror.Recursive && strings.Contains(p.path, "/"):
		e.Mirrored, e.Reason = false, "the mirror is not recursive"
	case ruled:
		e.Reason = "included"
	default:
		e.Reason = "no rule matches"
	}
	return e
}
