package change_test

import (
	"strings"
	"testing"

	"inosyncd/internal/change"
)

// simpleSet is what a Set without a limit is, as plainly as it can be said.
type simpleSet map[string]change.Mark

func (s simpleSet) add(path string, m change.Mark) {
	if m&change.Held == 0 {
		s[path] |= m
	}
}

func (s simpleSet) covers(path string) bool {
	if s[path] != 0 || s[""]&change.AllBelow != 0 {
		return true
	}
	for i := range path {
		if path[i] == '/' && s[path[:i]]&change.AllBelow != 0 {
			return true
		}
	}
	return false
}

// FuzzSet has a script of changes, two lines each, played on a Set and on a
// simple one. The first is a mark, or how a set is merged; the second a path.
func FuzzSet(f *testing.F) {
	f.Add("i\nvar/www/index.html\nc\nvar/www/index.html\na\nvar/www\ni\nvar/www/img/logo.png\n", 0)
	f.Add("h\nuploads/big.iso\na\nuploads\ni\nuploads/big.iso\nm\n\nc\nuploads/x\n", 3)
	f.Add("i\na/b/c/d\ni\na/b/c/e\ni\na/b/f\na\n\ni\nz\n", 2)
	f.Add("i\n\na\na/\xff\nc\n \nm\n\nh\n \n", 1)
	f.Fuzz(func(t *testing.T, script string, limit int) {
		if limit < 0 || limit > 1<<16 {
			t.Skip("no limit")
		}
		marks := map[string]change.Mark{
			"i": change.Itself, "c": change.Itself | change.Content, "a": change.AllBelow, "h": change.Held,
		}
		set, simple := change.New(limit), simpleSet{}
		paths := []string{"", "elsewhere/entirely"}
		lines := strings.Split(script, "\n")
		for ; len(lines) >= 2; lines = lines[2:] {
			path := strings.Trim(lines[1], "/")
			if strings.Contains(path, "//") {
				continue
			}
			switch mark, ok := marks[lines[0]]; {
			case ok:
				set.Add(path, mark, t0)
				simple.add(path, mark)
			case lines[0] == "m":
				older := set
				set = change.New(limit)
				set.Merge(older)
			default:
				set = set.Clone()
			}
			paths = append(paths, path, path+"/below", strings.TrimSuffix(path, "w"))
		}
		for _, path := range paths {
			path = strings.Trim(path, "/")
			got, want := set.Covers(path), simple.covers(path)
			// A set without room covers more, never less.
			if want && !got || got && !want && (limit == 0 || limit > len(script)) {
				t.Errorf("Covers(%q) after %q with limit %d: got %v, want %v", path, script, limit, got, want)
			}
		}
	})
}
