package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inosyncd/config"
	"inosyncd/internal/lab/labtest"
)

// What the configuration's name leads to is saved where it is, whatever links
// there are on the way.
func TestAutoReloadThroughLinks(t *testing.T) {
	tests := map[string][][2]string{ // links, and where they lead
		"no link":                     {},
		"to another directory":        {{"etc/c.yaml", "../kept/c.yaml"}},
		"to a link":                   {{"etc/c.yaml", "DIR/links/c.yaml"}, {"links/c.yaml", "../kept/c.yaml"}},
		"through a link on the way":   {{"etc/c.yaml", "now/c.yaml"}, {"etc/now", "../kept"}},
		"the directory itself is one": {{"etc", "kept"}},
	}
	for name, links := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			kept := filepath.Join(dir, "kept/c.yaml")
			if len(links) == 0 {
				kept = filepath.Join(dir, "etc/c.yaml")
			}
			must(os.MkdirAll(filepath.Dir(kept), 0o755))
			must(os.WriteFile(kept, []byte("old"), 0o600))
			for _, l := range links {
				at, to := filepath.Join(dir, l[0]), l[1]
				if rest, ok := strings.CutPrefix(to, "DIR/"); ok {
					to = filepath.Join(dir, rest)
				}
				must(os.MkdirAll(filepath.Dir(at), 0o755))
				must(os.Symlink(to, at))
			}
			cfg := &config.Config{File: filepath.Join(dir, "etc/c.yaml"), Reload: "auto"}
			saved, err := watchConfig(cfg, nil)
			must(err)
			defer saved.close()
			for _, content := range []string{"newer", "newest"} { // the first is seen without an event
				must(os.WriteFile(kept, []byte(content), 0o600))
				labtest.Eventually(t, func() error {
					select {
					case <-saved.told():
						return nil
					default:
						return fmt.Errorf("that it is %s was not noticed", content)
					}
				})
			}
		})
	}
}
