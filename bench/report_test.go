package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	var r report
	r.add(result{"s", "m", ours, 2, "ms", false})
	r.add(result{"s", "m", lsyncd, 30, "ms", true})
	r.add(result{"s", "n", lsyncd, 1.25, "ms", false})
	want := `| scenario | measure | lsyncd is | rsync -a is | inosyncd | lsyncd  | lsyncd, 15 s | rsync -a |
|----------|---------|-----------|-------------|----------|---------|--------------|----------|
| s        | m       | > 15 ×    |             | 2 ms     | > 30 ms |              |          |
| s        | n       |           |             |          | 1.2 ms  |              |          |
`
	if diff := cmp.Diff(want, r.table()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	const change = "1 change, rsync daemon, 1 node"
	for _, tt := range []struct {
		name    string
		results []result
		want    string // met of each
	}{
		{"nothing measured", nil, ""},
		{"quick enough", []result{{change, "median", ours, 5, "ms", false}}, "met"},
		{"too slow", []result{{change, "median", ours, 5.1, "ms", false}}, "missed"},
		{"not finished", []result{{change, "median", ours, 4, "ms", true}}, "missed"},
		{"a fifteenth", []result{{change, "median", ours, 4, "ms", false}, {change, "median", lsyncd, 60, "ms", false}}, "met met"},
		{"more than that", []result{{change, "median", ours, 4, "ms", false}, {change, "median", lsyncd, 59, "ms", false}}, "met missed"},
		{"of somebody else", []result{{change, "median", lsyncd, 4, "ms", false}}, ""},
		{"10 nodes are not 1 node", []result{{"1 change, rsync daemon, 10 nodes", "median", ours, 21, "ms", false}}, "missed"},
	} {
		r := report{tt.results}
		var got []string
		for _, c := range r.check() {
			got = append(got, c.verdict())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("check of %s: got %q, want %q", tt.name, s, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1_000_010: "1,000,010"} {
		if got := number(n); got != want {
			t.Errorf("number(%d): got %q, want %q", n, got, want)
		}
	}
}
