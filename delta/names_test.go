package delta

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/change"
)

func TestOtherNames(t *testing.T) {
	tests := []struct {
		name    string
		written string
		marks   []string // what else the set has
		flat    bool
		want    []string
	}{
		{"at the top", "f", nil, false, []string{"d/e/h", "d/g"}},
		{"below", "d/g", nil, false, []string{"d/e/h", "f"}},
		{"none was written", "", []string{"c f"}, false, nil},
		{"known already", "f", []string{"i d/g", "a d/e"}, false, nil},
		{"one name", "single", nil, false, nil},
		{"all is compared", "f", []string{"a "}, false, nil},
		{"the directory alone", "f", nil, true, nil},
	}
	root := newSource(t, "f", "single", "d/e/", "out/")
	for _, name := range []string{"d/g", "d/e/h", "out/k"} {
		check(t, os.Link(filepath.Join(root.Path(), "f"), filepath.Join(root.Path(), name)))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := set(tt.marks...)
			if tt.written != "" {
				s.Add(tt.written, change.Itself|change.Content|change.Shared, time.Unix(1, 0))
			}
			p, err := NewPlan(root, rules(t, "/out"), !tt.flat, s)
			check(t, err)
			defer p.Close()
			got, err := p.OtherNames(t.Context())
			check(t, err)
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("OtherNames (-want +got):\n%s", diff)
			}
		})
	}
}
