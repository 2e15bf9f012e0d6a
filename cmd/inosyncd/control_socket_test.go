package main

import (
	"slices"
	"testing"

	"inosyncd/config"
)

// The commands find the daemon that systemd runs by the name of its
// configuration.
func TestSocketPaths(t *testing.T) {
	t.Setenv("RUNTIME_DIRECTORY", "")
	usual := config.DefaultControl()
	for _, tt := range []struct {
		control, file string
		want          []string
	}{
		{"/some/sock", "/etc/inosync/www.yaml", []string{"/some/sock"}},
		{usual, "/etc/inosync.yaml", []string{usual, "/run/inosyncd/control.sock"}},
		{usual, "/etc/inosync/www.yaml", []string{usual, "/run/inosyncd@www/control.sock"}},
		{usual, "/etc/../etc/inosync//a.b.yaml", []string{usual, "/run/inosyncd@a.b/control.sock"}},
		{usual, "/etc/inosync/www.yaml.old", []string{usual, "/run/inosyncd/control.sock"}},
		{usual, "/srv/etc/inosync/www.yaml", []string{usual, "/run/inosyncd/control.sock"}},
	} {
		if got := socketPaths(tt.control, tt.file); !slices.Equal(got, tt.want) {
			t.Errorf("socketPaths(%q, %q): got %q, want %q", tt.control, tt.file, got, tt.want)
		}
	}
}
