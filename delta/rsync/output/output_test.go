package output

import (
	"fmt"
	"testing"
)

func TestParseItem(t *testing.T) {
	tests := []struct {
		line string
		want string // what|name, "" when it is no item
	}{
		{"<f+++++++++|a/b|12|45", "<f+++++++++|a/b"},
		{">f.st......|a|b|c|3|46", ">f.st......|a|b|c"},
		{".d..t......|./|4096|0", ".d..t......|"},
		{"cd+++++++++|a b/|4096|0", "cd+++++++++|a b"},
		{"*deleting  |p/gone|0|0", "*deleting  |p/gone"},
		{`<f+++++++++|new\#012line|1|2`, "<f+++++++++|new\nline"},
		{`<f+++++++++|\#134#012|1|2`, `<f+++++++++|\#012`},
		{`<f+++++++++|\#12|1|2`, `<f+++++++++|\#12`},
		{`<f+++++++++|\#777|1|2`, `<f+++++++++|\#777`},
		{"<f+++++++++|x||2", ""},
		{"<f+++++++++|x|-1|2", ""},
		{"<f+++++++++|2", ""},
		{"IO error encountered -- skipping file deletion", ""},
		{"Total bytes sent: 5", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got := ""
		if it, ok := ParseItem(tt.line); ok {
			got = it.What + "|" + it.Name
		}
		if got != tt.want {
			t.Errorf("ParseItem(%q): got %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestParseProgress(t *testing.T) {
	for line, want := range map[string]string{
		"         32,768   3%  1.00MB/s    0:00:01":                     "3 32768 true",
		"      1048576 100%    9.09MB/s    0:00:00 (xfr#1, to-chk=0/2)": "100 1048576 true",
		"      1048576 101%    9.09MB/s    0:00:00":                     "0 0 false",
		"x 1% y z":                            "0 0 false",
		"Number of files: 4 (reg: 1, dir: 3)": "0 0 false",
	} {
		percent, bytes, ok := ParseProgress(line)
		if got := fmt.Sprint(percent, bytes, ok); got != want {
			t.Errorf("ParseProgress(%q): got %s, want %s", line, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	// Of rsync 3.5.0, with --stats and --info=progress2.
	for _, line := range []string{
		`<f+++++++++|a\#012b|12|45`, "Total bytes sent: 5", "  1 5% x y", "*deleting  |/|0|0", ".d..t......|./|4096|0",
		"              2  33%    0.00kB/s    0:00:00 (xfr#1, to-chk=4/6)", "cL+++++++++|l|1|0",
		"Number of files: 6 (reg: 3, dir: 2, link: 1)", "total size is 6  speedup is 0.02",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if n, ok := ParseSent(line); ok && n < 0 {
			t.Errorf("ParseSent(%q): got %d", line, n)
		}
		if percent, n, ok := ParseProgress(line); ok && (percent < 0 || percent > 100 || n < 0) {
			t.Errorf("ParseProgress(%q): got %d, %d", line, percent, n)
		}
		if it, ok := ParseItem(line); ok && (len(it.What) != whatLen || len(it.Name) > len(line)) {
			t.Errorf("ParseItem(%q): got %q", line, it)
		} else if ok {
			_, _ = it.Kind(), it.Difference()
		}
	})
}
