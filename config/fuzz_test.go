package config

import (
	"errors"
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
