package rsync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestBlame(t *testing.T) {
	bl := func() *blame { return &blame{source: "/s/r/", node: "/n/d/", module: "sub/"} }
	tests := []struct {
		name, line string
		want       string // as fmt prints the fields
	}{
		{"sender", `rsync: [sender] send_files failed to open "/s/r/a b/f": Permission denied (13)`, "[a b/f] [] false false"},
		{"sender, escaped", `rsync: [sender] opendir "/s/r/new\#012line" failed: Permission denied (13)`, "[new\nline] [] false false"},
		{"the root", `rsync: [sender] opendir "/s/r" failed: Permission denied (13)`, "[] [] false false"},
		{"receiver", `rsync: [receiver] mkstemp "/n/d/a/.f.xyz.A1b2C3" failed: Permission denied (13)`, "[a/f.xyz] [] false false"},
		{"receiver, partial", `rsync: [receiver] rename "/n/d/a/.inosyncd-partial/f" -> "a/f": Is a directory (21)`, "[a/f] [] false false"},
		{"receiver, in a module", `rsync: [generator] chgrp "/sub/a/f" (in m) failed: Operation not permitted (1)`, "[a/f] [] false false"},
		{"outside of the module's part", `rsync: [generator] chgrp "/other/f" (in m) failed: Operation not permitted (1)`, "[] [] true false"},
		{"quote in the name", `rsync: [sender] send_files failed to open "/s/r/a": "b": Permission denied (13)`, "[] [] true false"},
		{"above the source", `rsync: [sender] send_files failed to open "/s/r/../f": Permission denied (13)`, "[] [] true false"},
		{"elsewhere", `rsync: [sender] something "/etc/f" failed: Permission denied (13)`, "[] [] true false"},
		{"nothing named", `rsync: [receiver] out of memory`, "[] [] true false"},
		{"long temporary name", `rsync: [receiver] mkstemp "/n/d/.` + strings.Repeat("x", 247) + `.A1b2C3" failed: No space left on device (28)`, "[] [] true false"},
		{"in the way", `could not make way for new regular file: a/b`, "[a/b] [] false false"},
		{"not removed", `rsync: [generator] delete_file: unlink(a/(b)) failed: Operation not permitted (1)`, "[a/(b)] [] false false"},
		{"not verified", `ERROR: a/f failed verification -- update discarded.`, "[a/f] [] false false"},
		{"not verified yet", `WARNING: a/f failed verification -- update discarded (will try again).`, "[] [] false false"},
		{"vanished", `file has vanished: "/s/r/f"`, "[] [f] false false"},
		{"vanished before the list was read", `rsync: [sender] link_stat "/s/r/f" failed: No such file or directory (2)`, "[] [f] false false"},
		{"nothing removed", `IO error encountered -- skipping file deletion`, "[] [] false true"},
		{"the end", `rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]`, "[] [] false false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bl()
			b.read(tt.line)
			if got := fmt.Sprint(b.names, b.gone, b.unknown, b.noDelete); got != tt.want {
				t.Errorf("read(%q): got %s, want %s", tt.line, got, tt.want)
			}
		})
	}
}

func FuzzBlame(f *testing.F) {
	// Of rsync 3.5.0, but for the first two.
	f.Add("rsync: [sender] opendir \"/s/r/\\#056\\#056/x\" failed: x\nfile has vanished: \"/s/r/f\"\n")
	f.Add("rsync: [x] \"/../m/x\" (in m)\nERROR: ../x failed verification -- update discarded.\n")
	f.Add("rsync: [sender] link_stat \"/s/r/gone\" failed: No such file or directory (2)\n" +
		"rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]\n")
	f.Add("rsync: [receiver] mkstemp \"/n/d/.big.aB3xYz\" failed: Permission denied (13)\n" +
		"rsync: [generator] delete_file: rmdir(\"x\") failed: Directory not empty (39)\nIO error encountered -- skipping file deletion\n" +
		"rsync: write failed on \"/n/d/big\": No space left on device (28)\nrsync error: error in file IO (code 11) at receiver.c(381) [receiver=3.2.7]\n")
	f.Fuzz(func(t *testing.T, text string) {
		bl := blame{source: "/s/r/", node: "/n/d/", module: "m/"}
		for line := range strings.Lines(text) {
			bl.read(strings.TrimSuffix(line, "\n"))
		}
		for _, name := range slices.Concat(bl.names, bl.gone) {
			if strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") {
				t.Errorf("read(%q): got the name %q", text, name)
			}
		}
	})
}
