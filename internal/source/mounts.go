package source

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Unmounted returns the places below the root where a file system was mounted at an
// earlier call, and none is now: relative to the root, in order. What is there now,
// most often an empty directory, is not what was there, just as with the root
// itself. dir is the root, opened. A place whose directory is gone is forgotten, and
// all are with the Root: they are not kept over a restart.
func (r *Root) Unmounted(dir *os.File) []string {
	now := mountsBelow(dir)
	if now == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var gone []string
	for place := range r.mounts {
		var st unix.Stat_t
		switch err := unix.Fstatat(int(dir.Fd()), filepath.Dir(place), &st, unix.AT_SYMLINK_NOFOLLOW); {
		case now[place]:
		case err != nil:
			delete(r.mounts, place)
		default:
			gone = append(gone, place)
		}
	}
	if r.mounts == nil {
		r.mounts = map[string]bool{}
	}
	maps.Copy(r.mounts, now)
	slices.Sort(gone)
	return gone
}

// mountsBelow are the places below dir where something is mounted, or nil where the
// kernel does not tell: proc_pid_mountinfo(5).
func mountsBelow(dir *os.File) map[string]bool {
	base, err := os.Readlink(fmt.Sprintf("/proc/thread-self/fd/%d", dir.Fd()))
	if err != nil {
		return nil
	}
	info, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil
	}
	base = strings.TrimSuffix(base, "/") + "/"
	found := map[string]bool{}
	for line := range strings.Lines(string(info)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			if place, ok := strings.CutPrefix(octal.Replace(fields[4]), base); ok && place != "" {
				found[place] = true
			}
		}
	}
	return found
}

// octal undoes what the kernel escapes: show_mountinfo in fs/proc_namespace.c.
var octal = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#")
