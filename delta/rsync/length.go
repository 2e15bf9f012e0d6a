package rsync

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"inosyncd/delta"
	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// maxPath is the longest path that rsync takes in a list, in bytes. What is
// longer it cuts, and goes on with what is left (3.5.0).
const maxPath = unix.PathMax - 1 - len("./")

const tooLong = "shorten the path or exclude it: rsync takes 4093 bytes, and a file system some 255 for each name"

// dropLong takes what rsync cannot be told of out of the plan, and notes it as
// failed.
func (b *batch) dropLong() {
	drop := func(path string, mark change.Mark) bool {
		if len(path) <= maxPath {
			return false
		}
		set := change.New(0)
		set.Add(path, mark|change.Itself, b.set.Since())
		err := fmt.Errorf("the path of %d bytes that begins with %q is too long for rsync", len(path), path[:80])
		b.fail(verdict{push.Partly, err, tooLong}, set)
		delete(b.unsure, path)
		return true
	}
	b.plan.Entries = slices.DeleteFunc(b.plan.Entries, func(p delta.Entry) bool { return drop(p.Path, p.Mark) })
	b.plan.Missing = slices.DeleteFunc(b.plan.Missing, func(m delta.Missing) bool { return drop(m.Path, 0) })
}
