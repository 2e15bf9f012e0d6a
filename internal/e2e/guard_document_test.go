package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuaranteesNameTests wants docs/guarantees.md to name only tests that exist.
func TestGuaranteesNameTests(t *testing.T) {
	exists := map[string]bool{}
	functions := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, pattern := range []string{"*", "*/*", "*/*/*"} {
		files, err := filepath.Glob("../../" + pattern + "/*_test.go")
		must(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			must(t, err)
			for _, f := range functions.FindAllSubmatch(text, -1) {
				exists[filepath.Base(filepath.Dir(file))+"."+string(f[1])] = true
			}
		}
	}
	doc, err := os.ReadFile("../../docs/guarantees.md")
	must(t, err)
	named := regexp.MustCompile("`(\\w+\\.(?:Test|Fuzz)\\w+)`").FindAllSubmatch(doc, -1)
	for _, name := range named {
		if !exists[string(name[1])] {
			t.Errorf("docs/guarantees.md: there is no test %s", name[1])
		}
	}
	if rows := strings.Count(string(doc), "\n| "); len(named) < 31 || rows < 31 {
		t.Errorf("docs/guarantees.md: found %d tests in %d rows, want more: is it still read rightly?", len(named), rows)
	}
}
