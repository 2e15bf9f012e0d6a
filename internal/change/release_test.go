package change_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/change"
)

func TestRelease(t *testing.T) {
	type marks map[string]change.Mark
	tests := []struct {
		name         string
		older, newer marks
		want         []string // after Release and Merge
	}{
		{"nothing is known of it", marks{"d": change.AllBelow, "d/x": change.Held}, marks{"e": change.AllBelow}, []string{`"d" ia`, `"d/x" h`, `"e" ia`}},
		{"covered and not held", marks{"d": change.AllBelow, "d/x": change.Held}, marks{"d": change.AllBelow}, []string{`"d" ia`}},
		{"covered from above", marks{"d": change.AllBelow, "d/e/x": change.Held}, marks{"": change.AllBelow}, []string{`"" ia`}},
		{"covered and held", marks{"d": change.AllBelow, "d/x": change.Held}, marks{"d": change.AllBelow, "d/x": change.Held}, []string{`"d" ia`, `"d/x" h`}},
		{"marked itself", marks{"d": change.AllBelow, "d/x": change.Held}, marks{"d/x": change.Itself | change.Content}, []string{`"d" ia`, `"d/x" ic`}},
		{"itself above says nothing of it", marks{"d": change.AllBelow, "d/x": change.Held}, marks{"d": change.Itself}, []string{`"d" ia`, `"d/x" h`}},
		{"written and held", marks{"d/x": change.Content | change.Held}, marks{"": change.AllBelow}, []string{`"" ia`, `"d/x" ic`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			older, newer := change.New(0), change.New(0)
			for _, held := range []bool{false, true} {
				for s, in := range map[*change.Set]marks{older: tt.older, newer: tt.newer} {
					for path, m := range in {
						if m &^= change.Held; !held && m != 0 {
							s.Add(path, m, t0)
						}
						if held && in[path]&change.Held != 0 {
							s.Add(path, change.Held, t0)
						}
					}
				}
			}
			older.Release(newer)
			older.Merge(newer)
			if diff := cmp.Diff(tt.want, list(older)); diff != "" {
				t.Errorf("Release(%v) of %v, merged (-want +got):\n%s", tt.newer, tt.older, diff)
			}
		})
	}
}
