package manual

import (
	"strings"
	"testing"
)

func TestEscape(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "a b", "a b"},
		{"hyphens", "--json", `\-\-json`},
		{"request", ".swp", `\&.swp`},
		{"request on a later line", "a\n.b\n'c", "a\n\\&.b\n\\(aqc"},
		{"escape", `a\fB`, `a\efB`},
		{"dot within", "a.b", "a.b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := escape(tc.in); got != tc.want {
				t.Errorf("escape(%q): got %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for _, tc := range []struct {
		place Place
		want  string
	}{
		{AtTop, "At the top only"},
		{AtMirror, "Of a mirror"},
		{AtNode, "Of a node"},
		{AtMirror | AtNode, "Of a mirror and of a node"},
		{InNode, "Of a node only"},
		{InSSH, "Within ssh"},
	} {
		if got := tc.place.words(); got != tc.want {
			t.Errorf("words(%d): got %q, want %q", tc.place, got, tc.want)
		}
	}
}

// A type that the schema has no form for must not pass for one that takes all.
func TestSchemaUnknownType(t *testing.T) {
	for _, place := range []Place{AtTop, AtMirror, AtNode, InNode, InSSH} {
		_, err := Schema([]Key{{Name: "colour", Type: "hue", Place: place}})
		if err == nil || !strings.Contains(err.Error(), "colour") {
			t.Errorf("Schema(a key of an unknown type at %d): got %v, want an error that names it", place, err)
		}
	}
}
