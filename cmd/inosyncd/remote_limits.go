package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"inosyncd/delta/rsync/probe"
)

// kernelLimits are those of inotify(7), for a user; 0 where one is not known.
type kernelLimits struct{ watches, queued, instances int }

// inotifyLimits reads the limits in dir, which is /proc/sys/fs/inotify.
func inotifyLimits(dir string) kernelLimits {
	read := func(name string) int {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return 0
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return n
	}
	return kernelLimits{read("max_user_watches"), read("max_queued_events"), read("max_user_instances")}
}

const (
	// tight is the share of the watches, in percent, above which they are
	// called scarce: other programs of the user need some, and trees grow.
	tight = 80

	// longestQueue bounds the queue that is advised. An overflow costs a
	// comparison, a longer queue costs the kernel's memory.
	longestQueue = 1 << 18
)

// findings compares the limits with what all the trees together need, and the
// queue, of which each has its own, with the largest of them.
func (l kernelLimits) findings(trees []func() tree) []probe.Finding {
	dirs, largest := 0, 0
	for _, scan := range trees {
		t := scan()
		dirs += t.dirs
		largest = max(largest, int(min(t.Entries, longestQueue))) //nolint:gosec // bounded
	}
	if l.watches == 0 {
		return []probe.Finding{{Grade: probe.Note, About: "inotify", Text: "the limits cannot be read"}}
	}
	watches := probe.Finding{About: "watches", Text: fmt.Sprintf("needed: %d of %d (fs.inotify.max_user_watches)", dirs, l.watches)}
	switch {
	case dirs > l.watches:
		watches.Grade = probe.Fault
		watches.Text += ": some directories would only be compared from time to time"
		watches.Cure = raise("max_user_watches", dirs+dirs/4)
	case dirs > l.watches/100*tight:
		watches.Grade = probe.Warning
		watches.Text += ": few are left for other programs and for more directories"
		watches.Cure = raise("max_user_watches", dirs+dirs/4)
	}
	queue := probe.Finding{About: "event queue", Text: fmt.Sprintf("%d events (fs.inotify.max_queued_events)", l.queued)}
	if l.queued > 0 && largest > l.queued {
		queue.Grade = probe.Note
		queue.Text += ": changes of more entries at once can overflow it, and the tree is compared then"
		queue.Cure = raise("max_queued_events", largest)
	}
	found := []probe.Finding{watches, queue}
	if l.instances > 0 && len(trees) > l.instances {
		found = append(found, probe.Finding{
			Grade: probe.Fault, About: "instances", Text: fmt.Sprintf("needed: %d of %d (fs.inotify.max_user_instances)", len(trees), l.instances),
			Cure: raise("max_user_instances", 2*len(trees)),
		})
	}
	return found
}

// raise is the command that sets a limit to at least n.
func raise(name string, n int) string {
	to := 128
	for to < n {
		to *= 2
	}
	return fmt.Sprintf("sysctl -w fs.inotify.%s=%d", name, to)
}
