package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsConfigurations wants the configurations that the documents show in
// full to be ones.
func TestDocsConfigurations(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```yaml\n(wpath:.*?)^```$")
	found := 0
	for _, doc := range docs {
		for _, m := range blocks.FindAllStringSubmatch(readText(t, doc), -1) {
			found++
			// Credentials are there while the unit runs.
			loaded(t, strings.ReplaceAll(m[1], "/run/credentials/inosyncd.service/c.mirror.com", "/stub/password"))
		}
	}
	if found < 4 {
		t.Errorf("docs: found %d configurations, want more", found)
	}
}

// TestDocsMessages wants the messages that are explained to be ones that the
// program has.
func TestDocsMessages(t *testing.T) {
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
	var source strings.Builder
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			source.WriteString(comment.ReplaceAllString(readText(t, path), ""))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(.*?)` \\|").FindAllStringSubmatch(readText(t, "../../docs/troubleshooting.md"), -1)
	if len(rows) < 30 {
		t.Errorf("troubleshooting.md: found %d messages, want more", len(rows))
	}
	for _, m := range rows {
		if !strings.Contains(source.String(), m[1]) {
			t.Errorf("troubleshooting.md: the program has no message %q", m[1])
		}
	}
}

// TestDocsCommands wants the commands that the documents show to exist.
func TestDocsCommands(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	use := regexp.MustCompile("(?m)(?:^ {4,}(?:sudo |timeout 60 )?|`)inosyncd ([a-z]+)")
	for _, doc := range docs {
		for _, m := range use.FindAllStringSubmatch(readText(t, doc), -1) {
			cmd, _, err := (&app{}).command().Find([]string{m[1]})
			if err != nil || cmd.Name() != m[1] {
				t.Errorf("%s: there is no command %q", doc, m[1])
			}
		}
	}
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
