package process

import (
	"slices"
	"strings"
	"testing"

	"inosyncd/delta/rsync/output"
)

func TestLines(t *testing.T) {
	var got []string
	l := lines{take: func(s string) bool { got = append(got, s); return !strings.HasPrefix(s, "note") }}
	for _, part := range []string{"a\nb", "c\r\nnote 1\n", "\n\n", strings.Repeat("x", maxLine), "x\ny\n", "note 2"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write: got %d, %v", n, err)
		}
	}
	l.end()
	if want := []string{"a", "bc", "note 1", "y", "note 2"}; !slices.Equal(got, want) {
		t.Errorf("lines: got %q, want %q", got, want)
	}
	if want := []string{"note 1", "note 2"}; !slices.Equal(l.notes, want) || !l.excess {
		t.Errorf("notes: got %q, excess %v; want %q, true", l.notes, l.excess, want)
	}
	for range 2 * maxNotes {
		_, _ = l.Write([]byte("note\n"))
	}
	if len(l.notes) != maxNotes {
		t.Errorf("notes kept: got %d, want %d", len(l.notes), maxNotes)
	}
}

// A record of progress is told when it comes, not when the next one does; of all
// else only whole lines are.
func TestProgressIsToldAtOnce(t *testing.T) {
	var shares []int
	var others []string
	l := lines{take: func(s string) bool {
		percent, _, ok := output.ParseProgress(s)
		if ok {
			shares = append(shares, percent)
		} else {
			others = append(others, s)
		}
		return true
	}}
	for _, tt := range []struct {
		part string
		want int // the share that is told by then
	}{
		{"\r      6,717,440  22%    5.86MB/s    0:00:03  ", 22},
		{"\r     13,205,504  44%    5.8", 22},
		{"6MB/s    0:00:02  ", 44},
		{"\r     19,693,568  6", 44},
		{"5%    5.82MB/s    0:00:01  ", 65},
		{"\r     30,000,000 100%    5.90MB/s    0:00:04 (xfr#1, to-chk=0/2)\n>f+++++++++|a 1 2%", 100},
		{" 3 4|1|2\n   5 6% 7 8", 100},
		{"\n", 6},
	} {
		_, _ = l.Write([]byte(tt.part))
		if len(shares) == 0 || shares[len(shares)-1] != tt.want {
			t.Errorf("after %q: got %d%% told, want %d%% at the end", tt.part, shares, tt.want)
		}
	}
	if want := []string{">f+++++++++|a 1 2% 3 4|1|2"}; !slices.Equal(slices.DeleteFunc(others, func(s string) bool { return strings.HasPrefix(s, " ") }), want) {
		t.Errorf("other lines: got %q, want %q", others, want)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("<f+++++++++|a|12|45\nTotal bytes sent: 5\r  1 5% x y\rrest"))
	f.Add([]byte("\r              2  33%    0.00kB/s    0:00:00 (xfr#1, to-chk=4/6)\n>f+++++++++|a|2|45\n\n"))
	f.Add([]byte(strings.Repeat("x", maxLine+1) + "\nnote\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := lines{take: func(line string) bool {
			if len(line) > maxLine || strings.ContainsAny(line, "\r\n") {
				t.Errorf("Write: got the line %q", line)
			}
			return strings.HasPrefix(line, "<")
		}}
		half := len(data) / 2
		for _, part := range [][]byte{data[:half], data[half:]} {
			if n, err := l.Write(part); n != len(part) || err != nil {
				t.Errorf("Write: got %d, %v, want %d", n, err, len(part))
			}
		}
		l.end()
		if len(l.notes) > maxNotes {
			t.Errorf("notes kept: got %d, want at most %d", len(l.notes), maxNotes)
		}
	})
}
