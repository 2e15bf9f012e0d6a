package process

import "os"

// Environment is all that a child gets of the daemon's environment: no RSYNC_*
// that changes what options mean, no secret that is not for it.
func Environment() []string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	return []string{"PATH=" + path, "LC_ALL=C"}
}
