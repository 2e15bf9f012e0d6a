package importer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestSplitWords(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"  -a  -b ", []string{"-a", "-b"}},
		{`-e "ssh -p 1" x`, []string{"-e", "ssh -p 1", "x"}},
		{`'it is' ""`, []string{"it is", ""}},
		{`--a='b c'd`, []string{"--a=b cd"}},
	} {
		if diff := cmp.Diff(tc.want, splitWords(tc.in)); diff != "" {
			t.Errorf("splitWords(%q): (-want +got)\n%s", tc.in, diff)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, tc := range []struct{ in, keys, rules, notes string }{
		{"-avz", "archive: true\ncompress: true", "", ""},
		{"-azW --no-perms --no-o", "archive: true\ncompress: true\nrsync_args:\n    - -W\nperms: false\nowner: false", "", ""},
		{"--bwlimit=1.5M --timeout 030", "rspeed: 1.5M\ntimeout: 30", "", ""},
		{"--bwlimit=fast --timeout=0", "", "", "--bwlimit=fast --timeout=0"},
		{"--exclude *.o --exclude=/x --exclude-from=/f", "", "rexcludes:\n    - '*.o'\n    - /x\nrexcludes_from: /f", ""},
		{"--exclude-from=relative --password-file=relative", "", "", "--exclude-from=relative --password-file=relative"},
		{"--delete-after --progress -P", "delete: true", "", "-P"},
		{"-e 'rsh -p 7'", "ssh:\n    command: rsh\n    port: 7", "", ""},
		{"-e 'ssh -p 70000 -o A=b -lme -F /c'", "ssh:\n    options:\n        - A=b\n    user: me", "", `"70000" "-F" "/c"`},
		{"word", "", "", `"word"`},
	} {
		t.Run(tc.in, func(t *testing.T) {
			var keys, rules block
			var notes []Note
			o := options{keys: &keys, rules: &rules, notes: &notes, accepts: func(s string) bool { return s == "-W" }}
			o.words(splitWords(tc.in))
			for b, want := range map[*block]string{&keys: tc.keys, &rules: tc.rules} {
				if got := shown(t, b); got != want {
					t.Errorf("words(%s): got\n%s\nwant\n%s", tc.in, got, want)
				}
			}
			var said []string
			for _, n := range notes {
				said = append(said, n.What[strings.LastIndexByte(n.What, ' ')+1:])
			}
			if got := strings.Join(said, " "); got != tc.notes {
				t.Errorf("words(%s): got notes on %s, want %s", tc.in, got, tc.notes)
			}
		})
	}
}

func shown(t *testing.T, b *block) string {
	t.Helper()
	if b.empty() {
		return ""
	}
	text, err := yaml.Marshal(&b.node)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
