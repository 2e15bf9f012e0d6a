package lab_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/lab"
)

// storm runs a storm in a fresh tree and returns what it did and left.
func storm(t *testing.T, o lab.StormOptions, steps int) (done []string, left map[string]lab.Entry) {
	t.Helper()
	dir := t.TempDir()
	o.Outside = dir + "/outside"
	must(t, os.Mkdir(dir+"/tree", 0o755), os.Mkdir(o.Outside, 0o755))
	s := lab.NewStorm(dir+"/tree", o)
	must(t, s.Step(steps))
	left, err := lab.Walk(dir+"/tree", lab.CompareOptions{})
	must(t, err)
	return s.Done(), left
}

func TestStormIsDeterministic(t *testing.T) {
	done, left := storm(t, lab.StormOptions{Seed: 7}, 600)
	again, leftAgain := storm(t, lab.StormOptions{Seed: 7}, 600)
	if diff := cmp.Diff(done, again); diff != "" {
		t.Errorf("Done() of the same seed (-first +second):\n%s", diff)
	}
	for path, e := range left {
		if f := leftAgain[path]; e.Mode != f.Mode || e.Size != f.Size {
			t.Errorf("%q of the same seed: got %+v and %+v", path, e, f)
		}
	}
	other, _ := storm(t, lab.StormOptions{Seed: 8}, 600)
	if slices.Equal(done, other) {
		t.Error("Done() of another seed: the same")
	}
}

// TestStormDoesAll sees to it that no kind of change is only ever refused.
func TestStormDoesAll(t *testing.T) {
	done, left := storm(t, lab.StormOptions{Seed: 1, HardLinks: true}, 2000)
	made := map[string]int{}
	for _, line := range done {
		name, _, named := strings.Cut(line, ` "`)
		if named && !strings.Contains(line, `": `) {
			made[name]++
		}
	}
	for _, name := range []string{
		"create", "append", "truncate", "rewrite", "replace", "make directories", "fill a new directory", "move",
		"move over", "exchange", "move out", "move in", "change type", "link", "hard link", "chmod",
		"set times", "remove", "remove all",
	} {
		if made[name] < 2 {
			t.Errorf("changes of the kind %q: got %d, want some", name, made[name])
		}
	}
	odd, types := 0, map[uint32]int{}
	for path, e := range left {
		types[e.Mode>>12]++
		if strings.ContainsAny(path, "\n$`\\*[\"") {
			odd++
		}
	}
	if len(types) != 3 || odd == 0 {
		t.Errorf("2000 changes left: got types %v and %d odd paths, want files, directories, links and odd paths", types, odd)
	}
}
