package delta

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// openFiles are the files below dir that this process has open.
func openFiles(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	check(t, err)
	var open []string
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil && strings.HasPrefix(path, dir) {
			open = append(open, path)
		}
	}
	return open
}

// A push that fails closes its plan without a last look at the source. What was
// looked at while it ran is closed all the same.
func TestCloseReleasesAll(t *testing.T) {
	root := newSource(t, "d/e/f")
	p, err := NewPlan(root, rules(t), true, set("a d"))
	check(t, err)
	p.ChangedSince("d/e/f", time.Now())
	if len(openFiles(t, root.Path())) < 2 {
		t.Error("nothing is kept open on the way to a file: the test shows nothing")
	}
	check(t, p.Close())
	if left := openFiles(t, root.Path()); len(left) > 0 {
		t.Errorf("Close: got %q still open", left)
	}
}
