package change_test

import (
	"testing"

	"inosyncd/internal/change"
)

func TestTouches(t *testing.T) {
	for _, tt := range []struct {
		name   string
		marked string
		mark   change.Mark
		path   string
		want   bool
	}{
		{"itself", "a/b", change.Itself, "a/b", true},
		{"below", "a/b/c", change.Content, "a", true},
		{"far below the root", "a/b/c", change.Itself, "", true},
		{"a directory above that may be gone", "a", change.Itself, "a/b", true},
		{"a directory above that is compared", "a", change.AllBelow, "a/b/c", true},
		{"everything is compared", "", change.AllBelow, "a", true},
		{"the root's own attributes", "", change.Itself, "a", false},
		{"the root's own attributes, of the root", "", change.Itself, "", true},
		{"beside", "a/b", change.AllBelow, "a/c", false},
		{"a longer name", "a/bc", change.Itself, "a/b", false},
		{"open, nothing to do yet", "a/b", change.Held, "a/b", false},
	} {
		s := change.New(0)
		s.Add(tt.marked, tt.mark, t0)
		if got := s.Touches(tt.path); got != tt.want {
			t.Errorf("%s: Touches(%q) with %q marked %v: got %v, want %v", tt.name, tt.path, tt.marked, tt.mark, got, tt.want)
		}
	}
	var empty change.Set
	if empty.Touches("") {
		t.Error(`Touches(""): got true of the empty set, want false`)
	}
}
