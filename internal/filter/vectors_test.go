package filter

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// vectors are answers of rsync 3.5.0.
type vectors struct {
	Tree  []string // directories end with a slash
	Cases []struct {
		Args     []string
		RC       int
		Files    map[string]string // that Args names
		Excluded []string
	}
}

// vectorRoot stands for $SRC in the vectors.
const vectorRoot = "/srv/tree"

// unsupported are the arguments of the vectors that rsync takes and this
// package does not.
var unsupported = []string{
	"-x foo",                                         // names of extended attributes
	"-C",                                             // the list of cvs(1)
	": .rf", ":n .rf", ":e .rf", ":- .rf", ":w- .rf", // files in each directory
}

func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var tr tree
	for _, path := range v.Tree {
		e := entry{path, 'f'}
		if dir, ok := strings.CutSuffix(path, "/"); ok {
			e = entry{dir, 'd'}
		}
		tr = append(tr, e)
	}
	for i, c := range v.Cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			excludes, err := readArgs(c.Args, c.Files)
			wantErr := c.RC != 0 || slices.ContainsFunc(c.Args, isUnsupported)
			if (err != nil) != wantErr {
				t.Fatalf("reading %q: got error %v, want one: %v", c.Args, err, wantErr)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(c.Excluded)), tr.excluded(excludes), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("excluded by %q (-want +got):\n%s", c.Args, diff)
			}
		})
	}
	for _, text := range unsupported {
		if _, err := Parse([]Line{{Text: text}}); err == nil {
			t.Errorf("Parse(%q): got no error", text)
		}
	}
}

func isUnsupported(arg string) bool { return slices.Contains(unsupported, arg) }

// excluded returns the sorted paths of tr that a walk from the top leaves out.
func (tr tree) excluded(excludes func(path string, dir bool) bool) []string {
	out := map[string]bool{}
	paths := []string{}
	for _, e := range tr {
		if out[parent(e.path)] || excludes(e.path, e.dir()) {
			out[e.path] = true
			paths = append(paths, e.path)
		}
	}
	slices.Sort(paths)
	return paths
}

// readArgs returns the decision of rsync's sender for one path, by Rules where
// the arguments are exclude lines, and by filterRules where they need more.
func readArgs(args []string, files map[string]string) (func(path string, dir bool) bool, error) {
	var lines []Line
	filters := filterRules{files: files}
	for i := 0; i < len(args); i++ {
		name, value, _ := strings.Cut(args[i], "=")
		switch name {
		case "--exclude":
			lines = append(lines, Line{Text: value})
		case "--include":
			if !strings.HasPrefix(value, "- ") {
				value = "+ " + value
			}
			lines = append(lines, Line{Text: value})
		case "--exclude-from":
			lines = append(lines, ReadLines(value, []byte(files[value]))...)
		case "-f":
			i++
			value = strings.ReplaceAll(args[i], "$SRC", vectorRoot)
			fallthrough
		case "--filter":
			if err := filters.add(value); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("unknown argument %q", args[i])
		}
	}
	if lines == nil {
		return filters.excludes, nil
	}
	rules, err := Parse(lines)
	return rules.Match, err
}

// filterRules are rules in the syntax of --filter, for the sender.
type filterRules struct {
	files map[string]string
	rules []filterRule
}

type filterRule struct {
	form
	pattern pattern
}

func (f *filterRules) add(text string) error {
	form, ok := parseForm(text)
	if !ok {
		return fmt.Errorf("%q is no filter rule", text)
	}
	if form.kind.short == ':' || strings.ContainsAny(form.mods, "Cx") {
		return fmt.Errorf("%q is not supported", text)
	}
	switch form.kind.short {
	case '!':
		f.rules = nil
	case '.':
		for _, line := range ReadLines(form.pattern, []byte(f.files[form.pattern])) {
			if err := f.add(line.Text); err != nil {
				return err
			}
		}
	default:
		f.rules = append(f.rules, filterRule{form, compile(form.pattern)})
	}
	return nil
}

func (f *filterRules) excludes(path string, dir bool) bool {
	for _, rule := range f.rules {
		if rule.matches(path, dir) {
			return strings.IndexByte("-H", rule.kind.short) >= 0
		}
	}
	return false
}

// matches reports whether the rule decides on the sender's side for path.
func (r filterRule) matches(path string, dir bool) bool {
	sides := strings.ContainsAny(r.mods, "sr")
	if strings.IndexByte("PR", r.kind.short) >= 0 || sides && !strings.Contains(r.mods, "s") {
		return false
	}
	if strings.Contains(r.mods, "/") { // of the whole file system
		path = vectorRoot[1:] + "/" + path
	}
	negated := strings.Contains(r.mods, "!")
	return r.pattern.matches(path, base(path), dir) != negated
}
