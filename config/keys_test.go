package config

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Every key of the table is used by the code and every suggestion is one of
// the place.
func TestKeys(t *testing.T) {
	seen := map[string]Scope{}
	for _, k := range Keys() {
		if seen[k.Name]&k.Scope != 0 {
			t.Errorf("key %s: there twice in one scope", k.Name)
		}
		seen[k.Name] |= k.Scope
		if k.Meaning == "" || k.Type == "" || k.Scope == 0 || (k.Default == "") == (k.Derived == "") {
			t.Errorf("key %s: incomplete: %+v", k.Name, k)
		}
		if got := nearest(k.Name+"x", names(k.Scope)); got != k.Name {
			t.Errorf("nearest(%sx): got %q, want %q", k.Name, got, k.Name)
		}
	}
	if len(seen) < 50 || !slices.Contains(slices.Collect(maps.Keys(seen)), "listen") {
		t.Errorf("Keys: got %d keys", len(seen))
	}
}

func TestNearest(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"edelya", "edelay"},
		{"edlay", "edelay"},
		{"EDELAY", "edelay"},
		{"excludes", "rexcludes"},
		{"nodes", "rnodes"},
		{"bandwidth", ""},
		{"x", ""},
		{strings.Repeat("x", 10_000), ""},
	} {
		if got := nearest(tc.in, names(atTop)); got != tc.want {
			t.Errorf("nearest(%.20q): got %q, want %q", tc.in, got, tc.want)
		}
	}
}
