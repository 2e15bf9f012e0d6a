package config

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An rsync that is too old is a fault where it is named; one that does not tell,
// or that no mirror uses, is none.
func TestCheckPrograms(t *testing.T) {
	const too = "is rsync 3.2.3, which cannot keep file names out of remote shells: install 3.2.4 or newer, or name another here"
	for _, tc := range []struct{ name, rsync, version, want string }{
		{"too old", "RSYNC", "3.2.3", `3:8: rsync "DIR/rsync": ` + too},
		{"just new enough", "RSYNC", "3.2.4", ""},
		{"does not tell", "RSYNC", "", ""},
		{"of a mirror", "/bin/true\nmirrors:\n  - {wpath: /w, rnodes: [a], rsync: RSYNC}", "3.2.3", `5:37: rsync "DIR/rsync": ` + too},
		{"of none", "RSYNC\nmirrors:\n  - {wpath: /w, rnodes: [a], rsync: /bin/true}", "3.2.3", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := "\n\nrsync: " + tc.rsync + "\n"
			if !strings.Contains(text, "mirrors") {
				text = "wpath: /w\nrnodes: [a]" + text[1:]
			}
			file, dir := write(t, text)
			answer(t, dir+"/rsync", tc.version)
			c, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if faults, ok := errors.AsType[Faults](c.CheckPrograms(t.Context())); ok {
				got = strings.ReplaceAll(strings.ReplaceAll(faults.Error(), file+":", ""), dir, "DIR")
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("CheckPrograms: got + want -:\n%s", diff)
			}
		})
	}
}

// answer makes program one that tells the version. No process is started
// meanwhile: what it has still open for writing is not run, ETXTBSY in execve(2).
func answer(t *testing.T, program, version string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	script := "#!/bin/sh\nexit 1\n"
	if version != "" {
		script = "#!/bin/sh\necho 'rsync  version " + version + "  protocol version 31'\n"
	}
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}
