package output

import "strings"

const (
	// PartialDir is where what was sent of a file stays when a push breaks off.
	// The name is one of those that the configuration reserves.
	PartialDir = ".inosyncd-partial"

	// DelayedDir is where rsync keeps the files of a push with --delay-updates until
	// its end, unless there is a directory for partial ones: rsync(1).
	DelayedDir = ".~tmp~"
)

// leftover reports whether name is in one of those directories, or is one.
func leftover(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == PartialDir || part == DelayedDir {
			return true
		}
	}
	return false
}
