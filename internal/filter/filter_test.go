package filter

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func text(texts ...string) []Line {
	lines := make([]Line, len(texts))
	for i, s := range texts {
		lines[i] = Line{Text: s, File: "rules", Number: i + 1, Column: 3}
	}
	return lines
}

func mustParse(t testing.TB, texts ...string) *Rules {
	t.Helper()
	rules, err := Parse(text(texts...))
	if err != nil {
		t.Fatalf("Parse(%q): %v", texts, err)
	}
	return rules
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"negated", "-! */", `"exclude"`},
		{"sender's side", "-s foo", `"exclude"`},
		{"modifiers behind a comma", "-,s foo", `"exclude"`},
		{"absolute", "+/ /srv/foo", `"include"`},
		{"perishable", "-p foo", `"exclude"`},
		{"of extended attributes", "-x foo", `"exclude"`},
		{"list of cvs", "-C", `"exclude"`},
		{"cvs files of each directory", ":C", `"dir-merge"`},
		{"files of each directory", ": .rules", `"dir-merge"`},
		{"files of each directory, not inherited", ":n- .rules", `"dir-merge"`},
		{"a file", ". /etc/rules", `"merge"`},
		{"hide", "H foo", `"hide"`},
		{"show", "S foo", `"show"`},
		{"protect", "P foo", `"protect"`},
		{"risk", "R foo", `"risk"`},
		{"protect, perishable", "Pp foo", `"protect"`},
		{"long exclude", "exclude foo", `"exclude"`},
		{"long include with a modifier", "include,s foo", `"include"`},
		{"long hide", "hide foo", `"hide"`},
		{"long show", "show foo", `"show"`},
		{"long protect", "protect foo", `"protect"`},
		{"long risk", "risk foo", `"risk"`},
		{"long merge", "merge /etc/rules", `"merge"`},
		{"long dir-merge", "dir-merge,n .rules", `"dir-merge"`},
		{"the way to write it", "P foo", `"- P foo"`},
		{"nothing", "", "the pattern is empty"},
		{"an exclude of nothing", "- ", "the pattern is empty"},
		{"an include of nothing", "+ ", "the pattern is empty"},
		{"NUL", "a\x00b", "NUL"},
		{"too long", strings.Repeat("a", 4096), "4095"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(text("fine", tt.line))
			fault, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("Parse(%q): got %v, want a *SyntaxError", tt.line, err)
			}
			if fault.Line.Number != 2 || !strings.Contains(fault.Msg, tt.want) {
				t.Errorf("Parse(%q): got %+v, want line 2 and %s", tt.line, fault, tt.want)
			}
		})
	}
}

func TestParseTakesNames(t *testing.T) {
	tests := []struct{ line, matches string }{
		{"P_foo", "P_foo"},
		{"._*", "._foo"},
		{"S", "S"},
		{"- S x", "S x"},
		{"-foo", "-foo"},
		{"-", "-"},
		{"--", "--"},
		{"!foo", "!foo"},
		{"! foo", "! foo"},
		{"- !", "!"},
		{"- - foo", "- foo"},
		{"-  foo", " foo"},
		{"- + foo", "+ foo"},
		{" - foo", " - foo"},
		{"-\tfoo", "-\tfoo"},
		{"clear", "clear"},
		{"exclude", "exclude"},
		{"excluded foo", "excluded foo"},
		{"Photos 2024", "Photos 2024"},
		{".git", ".git"},
		{":x", ":x"},
		{"#foo", "#foo"},
		{";foo", ";foo"},
		{"foo ", "foo "},
		{"\xff", "\xff"},
		{strings.Repeat("a", 4095), strings.Repeat("a", 4095)},
	}
	for _, tt := range tests {
		rules, err := Parse(text(tt.line))
		if err != nil {
			t.Errorf("Parse(%.20q): %v", tt.line, err)
		} else if !rules.Match(tt.matches, false) {
			t.Errorf("Match(%.20q) by %.20q: got false, want true", tt.matches, tt.line)
		}
	}
}

func TestSyntaxErrorsAreJoined(t *testing.T) {
	_, err := Parse([]Line{
		{Text: "P a", File: "/etc/rules", Number: 3, Column: 5},
		{Text: "fine"},
		{Text: "", File: "/etc/rules", Number: 7},
		{Text: "- "},
	})
	got := strings.Split(err.Error(), "\n")
	want := []string{
		`/etc/rules:3:5: "P a" is rsync's filter rule "protect" and no pattern: only PATTERN, "- PATTERN", ` +
			`"+ PATTERN" and "!" are supported; to exclude what has this name write "- P a"`,
		"/etc/rules:7: the pattern is empty",
		"the pattern is empty",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestReadLines(t *testing.T) {
	content := "a\n\n# comment\n;comment\n #b\r\nc\rd \r\r\n\n\re\xff"
	want := []Line{
		{Text: "a", File: "f", Number: 1, Column: 1},
		{Text: " #b", File: "f", Number: 5, Column: 1},
		{Text: "c", File: "f", Number: 6, Column: 1},
		{Text: "d ", File: "f", Number: 7, Column: 1},
		{Text: "e\xff", File: "f", Number: 11, Column: 1},
	}
	if diff := cmp.Diff(want, ReadLines("f", []byte(content))); diff != "" {
		t.Errorf("ReadLines(%q) (-want +got):\n%s", content, diff)
	}
}

func TestExplain(t *testing.T) {
	rules := mustParse(t, "gone", "!", "+ *.keep", "/tmp/", "*.o", "/a/b")
	tests := []struct {
		name, path string
		dir        bool
		line       int // 0: no rule
		excluded   bool
	}{
		{"no rule", "x/y", false, 0, false},
		{"before the clearing", "gone", false, 0, false},
		{"the root", "", true, 0, false},
		{"an include", "a/x.keep", false, 3, false},
		{"an exclude", "a/x.o", false, 5, true},
		{"a directory", "tmp", true, 4, true},
		{"a file of that name", "tmp", false, 0, false},
		{"below a directory that is excluded", "tmp/x/y.keep", false, 4, true},
		{"below two of them", "tmp/x.o/y", false, 4, true},
		{"below what would be a file", "a/b/c.keep", false, 6, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line, excluded, ok := rules.Explain(tt.path, tt.dir)
			if line.Number != tt.line || excluded != tt.excluded || ok != (tt.line != 0) {
				t.Errorf("Explain(%q): got %+v, %v, %v, want line %d, %v", tt.path, line, excluded, ok, tt.line, tt.excluded)
			}
			if got := rules.Excluded(tt.path, tt.dir); got != tt.excluded {
				t.Errorf("Excluded(%q): got %v, want %v", tt.path, got, tt.excluded)
			}
		})
	}
	if rules.Match("tmp/x", false) {
		t.Error(`Match("tmp/x"): got true, want the parents left out`)
	}
}

func TestArgs(t *testing.T) {
	rules := mustParse(t, "a", "!", "b c", "+ *.d", "- - e", "+ !", "f/")
	want := []string{"--exclude=- b c", "--include=+ *.d", "--exclude=- - e", "--include=+ !", "--exclude=- f/"}
	if diff := cmp.Diff(want, rules.Args()); diff != "" {
		t.Errorf("Args (-want +got):\n%s", diff)
	}
	rules, err := rules.With(Line{Text: "tmp/", Perishable: true})
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, "--filter=-p tmp/")
	if diff := cmp.Diff(want, rules.Args()); diff != "" {
		t.Errorf("Args with a perishable rule (-want +got):\n%s", diff)
	}
}

func TestNilRules(t *testing.T) {
	var rules *Rules
	if rules.Match("a", false) || rules.Excluded("a/b", true) || rules.Args() != nil || rules.Useless() != nil {
		t.Error("nil *Rules exclude something")
	}
	if _, _, ok := rules.Explain("a", false); ok {
		t.Error("nil *Rules explain something")
	}
}

func TestWith(t *testing.T) {
	base := mustParse(t, "+ a.tmp", "b")
	more, err := base.With(text("*.tmp")...)
	if err != nil {
		t.Fatal(err)
	}
	if more.Match("a.tmp", false) || !more.Match("c.tmp", false) || !more.Match("b", false) {
		t.Error("With: the rules are not those before and then the new one")
	}
	if base.Match("c.tmp", false) {
		t.Error("With changed the rules that it was called on")
	}
	if _, err := base.With(text("")...); err == nil {
		t.Error("With an empty line: got no error")
	}
	var none *Rules
	if more, err = none.With(text("x")...); err != nil || !more.Match("x", false) {
		t.Errorf("With on nil: got %v, %v", more, err)
	}
}

func TestUseless(t *testing.T) {
	useless := []string{
		"//foo", "./foo", "../foo", "foo//bar", "foo//", "/", "//", "foo/./bar", "foo/..", ".", "..", "/.", "f[", "[[:bogus:]]", `f*\`,
		"*//*", "**//x", "a/[", "[/]", "a[b/]c", "/**/./x",
	}
	useful := []string{"foo", "/foo", "foo/", "*", "**", "***", "/**", "...", ".*", "**.", "?", `f\`, "f]", "**/x", "[.]", "[c-a]", "a/***", "/***/"}
	rules := mustParse(t, slices.Concat(useless, useful)...)
	var got []string
	for _, line := range rules.Useless() {
		got = append(got, line.Text)
	}
	if diff := cmp.Diff(useless, got); diff != "" {
		t.Errorf("Useless (-want +got):\n%s", diff)
	}
}

// oddTree has names that are hard to write as patterns.
func oddTree() tree {
	var tr tree
	for _, name := range oddNames {
		tr = append(tr, entry{name, 'd'}, entry{name + "/in", 'f'})
	}
	return tr
}

func TestEscape(t *testing.T) {
	tr := oddTree()
	for _, e := range tr {
		rules := mustParse(t, "/"+Escape(e.path))
		for _, other := range tr {
			if got, want := rules.Match(other.path, other.dir()), other == e; got != want {
				t.Errorf("Match(%q) by %q: got %v, want %v", other.path, "/"+Escape(e.path), got, want)
			}
		}
	}
}

func TestEscapeForRsync(t *testing.T) {
	needRsync(t)
	tr, dir := oddTree(), filepath.Join(t.TempDir(), "d")
	if err := tr.make(dir); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(tr); i += 2 {
		t.Run(tr[i].path, func(t *testing.T) {
			t.Parallel()
			name := tr[i].path
			got, err := list(t.Context(), dir, "--include=+ /"+Escape(name), "--include=+ /"+Escape(name+"/in"), "--exclude=*")
			if want := map[string]bool{name: true, name + "/in": true}; err != nil || !cmp.Equal(got, want) {
				t.Errorf("rsync with only %q: got %v, %v", name, got, err)
			}
		})
	}
}

// TestNoPatternIsSlow would not end if a pattern could take exponential time.
func TestNoPatternIsSlow(t *testing.T) {
	name := strings.Repeat("a", 255)
	path := strings.TrimSuffix(strings.Repeat(name+"/", 16), "/")
	patterns := []string{ // "[b]", as a "b" at the end is looked at first
		strings.Repeat("*a", 30) + "*[b]",
		strings.Repeat("**a", 30) + "**[b]",
		strings.Repeat("**/*a", 15) + "[b]",
		"**" + strings.Repeat("*a", 30) + "*[b]",
		"**a*[b]*",
		"/" + strings.Repeat("**?*[a]", 20) + "[b]",
		"**" + strings.Repeat("a", 200) + "[b]",
		strings.Repeat("*/", 15) + strings.Repeat("*a", 30) + "[b]",
	}
	start := time.Now()
	for _, p := range patterns {
		if mustParse(t, p).Excluded(path, false) {
			t.Errorf("Excluded(aaa…) by %q: got true, want false", p)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("matching took %v", took)
	} else {
		t.Logf("matching took %v", took)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	rules := mustParse(t, benchRules...)
	got := testing.AllocsPerRun(100, func() {
		for _, path := range benchPaths {
			rules.Match(path, true)
			rules.Excluded(path, false)
			rules.Explain(path, false)
		}
	})
	if got != 0 {
		t.Errorf("Match: got %v allocations, want none", got)
	}
}

func FuzzMatch(f *testing.F) {
	for _, p := range pieces {
		f.Add("/"+p+"*", "a/b")
	}
	for _, name := range oddNames {
		f.Add("+ **/"+name+"/***\n*", "x/"+name)
	}
	f.Add("# editors\n*.swp\n*~\n.#*\n\n/cache/\n+ /logs/today.log\n- /logs/*\n", "logs/today.log")
	f.Add("+ /wp-content/\n+ /wp-content/uploads/***\n/wp-content/*\n- .git/\n", "wp-content/uploads/2024/a [1].jpg")
	f.Add("node_modules/\n**/__pycache__\n/[Bb]uild[0-9]?/\nfoo\\[bar\n!\n*.o\n", "src/Build12/x.o")
	f.Fuzz(func(t *testing.T, content, path string) {
		path = filepath.Clean("/" + path)[1:]
		if len(path) > os.Getpagesize() || path == "" || strings.Contains(path, "\x00") {
			t.Skip("no path")
		}
		// Escaped, a longer one may be more than rsync takes.
		if len(path) < 2000 && !mustParse(t, "/"+Escape(path)).Match(path, false) {
			t.Errorf("Match(%q) by Escape: got false, want true", path)
		}
		rules, err := Parse(ReadLines("fuzz", []byte(content)))
		if err != nil {
			t.Skip("no rules")
		}
		excluded := rules.Excluded(path, true)
		line, explained, ok := rules.Explain(path, true)
		if excluded != explained || explained && !ok {
			t.Errorf("Explain(%q) by %q: got %v, %v, Excluded says %v", path, content, explained, ok, excluded)
		}
		if slices.Contains(rules.Useless(), line) {
			t.Errorf("Explain(%q) by %q: the line %q is said to be useless", path, content, line.Text)
		}
		if again, err := rules.With(); err != nil || again.Excluded(path, true) != excluded {
			t.Errorf("Excluded(%q) by %q: got another answer by the same rules, %v", path, content, err)
		}
	})
}
