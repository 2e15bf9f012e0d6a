package node

import "testing"

// A backtick matters only where a shell sees it, and to an rsync that lets it.
func TestUnquoted(t *testing.T) {
	ssh := Address{Kind: SSH, Host: "h", Path: "/srv/`id`/"}
	plain := Address{Kind: SSH, Host: "h", Path: "/srv/"}
	for _, tt := range []struct {
		name    string
		version string
		address Address
		args    []string
		needs   string
	}{
		{"path", "3.2.7", ssh, nil, "3.4.1"},
		{"option", "3.2.7", plain, []string{"--fuzzy", "--usermap=*:`id`"}, "3.4.1"},
		{"new enough", "3.4.1", ssh, nil, ""},
		{"none", "3.2.7", plain, []string{"--fuzzy"}, ""},
		{"daemon", "3.2.7", Address{Kind: Daemon, Host: "h", Path: "m/`id`/"}, nil, ""},
		{"local", "3.2.7", Address{Kind: Local, Path: "/srv/`id`/"}, nil, ""},
	} {
		got := ""
		if old := unquoted(tt.version, tt.address, tt.args); old != nil {
			got = old.Needs
		}
		if got != tt.needs {
			t.Errorf("unquoted, %s: got that it needs %q, want %q", tt.name, got, tt.needs)
		}
	}
}
