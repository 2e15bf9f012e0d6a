package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever stands where, there is a configuration or there are faults.
func TestLoadHolds(t *testing.T) {
	lines := strings.SplitAfter(site+everything, "\n")
	values := []string{"", " ~", " []", " {}", " 1", " -1", " .inf", " \"\"", " x", " /", " true", " [[]]", " {a: {b: c}}", " *a", " &a x", " !!binary eA==", " |\n  x"}
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for _, line := range rapid.SliceOfN(rapid.SampledFrom(lines), 1, 20).Draw(t, "lines") {
			if key, _, found := strings.Cut(line, ":"); found && rapid.Bool().Draw(t, "replace") {
				line = key + ":" + rapid.SampledFrom(values).Draw(t, "value") + "\n"
			}
			text.WriteString(line)
		}
		holds(t, text.String())
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(site)
	f.Add(everything)
	f.Add("mirrors: &m [{rnodes: *m}, *m]\n")
	f.Add("a: &a {ssh: *a}\nssh: &s {ssh: *s}\nwpath: &w [*w]\n")
	f.Add("rnodes: [{a: }, {target: }, {? [x] : y}]\nschedule: TZ=0\n? {}\n")
	f.Add("rexcludes: [*.swp]\n")
	f.Add("\xef\xbb\xbf---\n...\n---\n")
	f.Add("wpath: /var/www/\nrnodes: [a.mirror.com:, 'b.mirror.com:/srv/', {target: 'c::m/x', rspeed: 80Mbit}]\nedelay: 1.5s\nemask: [IN_MOVE]\n")
	examples, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		f.Fatalf("the examples: got %q, %v", examples, err)
	}
	for _, file := range examples {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) { holds(t, text) })
}

// holds checks that there is one of the two, and that every fault can be found.
func holds(t interface{ Fatalf(string, ...any) }, text string) {
	c, err := load("test.yaml", []byte(text), nil)
	if (c == nil) != (err != nil) {
		t.Fatalf("load(%q): got %v, %v, want one of the two", text, c, err)
	}
	faults, _ := errors.AsType[Faults](err)
	for _, fault := range faults {
		if fault.Msg == "" || fault.File == "test.yaml" && fault.Line == 0 || strings.Contains(fault.Error(), "\n") {
			t.Fatalf("load(%q): got fault %#v", text, fault)
		}
	}
}
