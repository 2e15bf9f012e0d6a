// Package inosyncd_test checks what no compiler does: that the repository's
// documents, its build and its code agree with one another.
package inosyncd_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"inosyncd/config"
)

// TestPackagesDocumented wants one file of each package to open with its idea.
func TestPackagesDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, file := range files(t, ".go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		opening := "Package " + f.Name.Name + " "
		if f.Name.Name == "main" {
			opening = "Command "
		}
		dir := filepath.Dir(file)
		documented[dir] = documented[dir] || strings.HasPrefix(f.Doc.Text(), opening)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package in %s: no comment that says what it is", dir)
		}
	}
}

// TestLength keeps files at a size that is read at one go.
func TestLength(t *testing.T) {
	limits := map[string]int{"Makefile": 30, "ARCHITECTURE.md": 150}
	for _, file := range files(t, ".go") {
		limits[file] = 500
	}
	for file, limit := range limits {
		if lines := bytes.Count(read(t, file), []byte("\n")); lines > limit {
			t.Errorf("%s: got %d lines, want at most %d", file, lines, limit)
		}
	}
}

var (
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	fences   = regexp.MustCompile("(?ms)^```.*?^```$")
)

// TestLinks follows the links of the documents to other files and to headings.
func TestLinks(t *testing.T) {
	for _, doc := range files(t, ".md") {
		for _, m := range links.FindAllStringSubmatch(prose(t, doc), -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := doc
			if target != "" {
				file = filepath.Join(filepath.Dir(doc), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: link to %q: %v", doc, m[1], err)
				continue
			}
			if heading != "" && !slices.Contains(anchors(t, file), heading) {
				t.Errorf("%s: link to %q: no such heading", doc, m[1])
			}
		}
	}
}

// anchors are the names under which the headings of a document can be linked
// to, as code hosts make them.
func anchors(t *testing.T, doc string) []string {
	var names []string
	for _, m := range headings.FindAllStringSubmatch(prose(t, doc), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		names = append(names, name)
	}
	return names
}

func prose(t *testing.T, doc string) string {
	return fences.ReplaceAllString(string(read(t, doc)), "")
}

// TestMakeTargets wants the targets that the documents name to exist.
func TestMakeTargets(t *testing.T) {
	makefile := string(read(t, "Makefile"))
	use := regexp.MustCompile("`make ([a-z-]+)|(?m)^ *make ([a-z-]+)")
	for _, doc := range files(t, ".md") {
		for _, m := range use.FindAllStringSubmatch(string(read(t, doc)), -1) {
			target := m[1] + m[2]
			if !regexp.MustCompile(`(?m)^([a-z]+ )*` + target + `( [a-z]+)* *:`).MatchString(makefile) {
				t.Errorf("%s: make %s: the Makefile has no such target", doc, target)
			}
		}
	}
}

// TestReadmeKeys wants the README's table to have the keys of the configuration,
// all of them and no others.
func TestReadmeKeys(t *testing.T) {
	var inReadme []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|").FindAllStringSubmatch(string(read(t, "README.md")), -1) {
		for key := range strings.SplitSeq(row[1], ", ") {
			inReadme = append(inReadme, strings.Trim(key, "`"))
		}
	}
	for _, key := range config.Keys() {
		// Keys of ssh are in its row; the other two are told in the text.
		if key.Scope != config.InSSH && key.Name != "mirrors" && key.Name != "target" && !slices.Contains(inReadme, key.Name) {
			t.Errorf("README.md: the key %s is missing", key.Name)
		}
	}
	for _, name := range inReadme {
		if !slices.ContainsFunc(config.Keys(), func(k config.Key) bool { return k.Name == name }) {
			t.Errorf("README.md: there is no key %s", name)
		}
	}
}

// TestReadmeCommands wants the program to know the commands and flags that the
// README shows.
func TestReadmeCommands(t *testing.T) {
	program := filepath.Join(t.TempDir(), "inosyncd")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", program, "./cmd/inosyncd").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	use := regexp.MustCompile("(?m)(?:^ {4,}(?:sudo )?(?:\\./)?|`)inosyncd((?: +[^#`\n ]+)*)")
	seen := map[string]bool{}
	for _, m := range use.FindAllStringSubmatch(string(read(t, "README.md")), -1) {
		command, flags := withoutOperands(strings.Fields(m[1]))
		line := strings.Join(append([]string{"inosyncd"}, command...), " ")
		if seen[line+strings.Join(flags, " ")] {
			continue
		}
		seen[line+strings.Join(flags, " ")] = true
		args := slices.Concat(command, flags, []string{"--help"})
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		// The help for an unknown command is that of the program, and no error.
		if usage := "Usage:\n  " + line; err != nil || !strings.Contains(string(out), usage) {
			t.Errorf("inosyncd %q: got %v and\n%swant help with %q", args, err, out, usage)
		}
	}
	if len(seen) < 4 {
		t.Errorf("README.md: found %d uses of inosyncd, want more: is it still looked for rightly?", len(seen))
	}
}

// withoutOperands picks the command, if there is one, and the flags from what
// follows the program's name, in the brackets of a synopsis or not.
func withoutOperands(words []string) (command, flags []string) {
	for i, word := range words {
		word = strings.Trim(word, "[]")
		switch {
		case strings.HasPrefix(word, "-") && word != "-c":
			flags = append(flags, word)
		case i == 0 && regexp.MustCompile(`^[a-z]+$`).MatchString(word):
			command = []string{word}
		}
	}
	return command, flags
}

func files(t *testing.T, suffix string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != "." && (name == "testdata" || strings.HasPrefix(name, ".")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, suffix) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
