package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"inosyncd/config"
)

// A node is found under every name that a person can have read somewhere: in the
// configuration, in status, in the log.
func TestChooseNodes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "conf.yaml")
	text := "rsync: /bin/sh\nmirrors:\n" +
		"  - {name: one, wpath: " + dir + "/one, rpath: /srv/one, rnodes: [a.example, deploy@b.example:/srv/www, c.example::www/site, /mnt/copy]}\n" +
		"  - {name: two, wpath: " + dir + "/two, rnodes: ['rsync://push@d.example:8873/www', '[2001:db8::1]:/x', {target: off.example, enabled: false}]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want []string // nil: a mistake
	}{
		{"one", []string{"a.example:/srv/one/", "deploy@b.example:/srv/www/", "c.example::www/site/", "/mnt/copy/"}},
		{"a.example", []string{"a.example:/srv/one/"}},
		{"a.example:", []string{"a.example:/srv/one/"}},
		{"a.example:/srv/one", []string{"a.example:/srv/one/"}},
		{"a.example:/srv/other", nil},
		{"b.example", []string{"deploy@b.example:/srv/www/"}},
		{"deploy@b.example", []string{"deploy@b.example:/srv/www/"}},
		{"deploy@b.example:/srv/www", []string{"deploy@b.example:/srv/www/"}},
		{"root@b.example", nil},
		{"c.example::www/site", []string{"c.example::www/site/"}},
		{"c.example::www", nil},
		{"/mnt/copy", []string{"/mnt/copy/"}},
		{"/mnt/copy/", []string{"/mnt/copy/"}},
		{"/mnt", nil},
		{"rsync://push@d.example:8873/www", []string{"rsync://push@d.example:8873/www/"}},
		{"2001:db8::1", []string{"[2001:db8::1]:/x/"}},
		{"[2001:db8::1]", []string{"[2001:db8::1]:/x/"}},
		{"[2001:db8::1]:/x", []string{"[2001:db8::1]:/x/"}},
		{"off.example", nil},
		{"", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chosen, err := chooseNodes(cfg, []string{tt.name})
			var got []string
			for i, m := range cfg.Mirrors {
				for k, n := range m.Nodes {
					if chosen[[2]int{i, k}] {
						got = append(got, n.Name)
					}
				}
			}
			if (err == nil) != (tt.want != nil) || !slices.Equal(got, tt.want) {
				t.Errorf("chooseNodes(%q): got %q and %v, want %q", tt.name, got, err, tt.want)
			}
		})
	}
}
