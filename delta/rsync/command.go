package rsync

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/filter"
)

// mode is what a run of rsync is to do.
type mode struct {
	recurse bool // look below the directories of the list
	whole   bool // no list: the source directory itself
	delete  bool // may remove and replace what is at the node
	missing bool // remove what the list names and the source does not have
	exact   bool // compare by content
	bare    bool // the list is of the root, and that is to be only itself
	dry     bool // only say what would be done

	exclude   []string // paths to leave alone, besides what the rules exclude
	only      bool     // the list is of patterns, and nothing is sent: only removals
	prune     bool     // nothing is sent: only removals
	leftovers bool     // besides, remove what pushes that broke off have left
	limited   bool     // remove no more than limit entries
	limit     int
}

// same reports whether both modes have rsync do the same.
func (m mode) same(o mode) bool {
	if len(m.exclude) > 0 || len(o.exclude) > 0 {
		return false
	}
	m.exclude, o.exclude = nil, nil
	return reflect.DeepEqual(m, o)
}

// arguments returns rsync's arguments for a run.
func (e *Engine) arguments(m mode) []string {
	o := e.o
	args := slices.Concat(e.always, m.flags())
	timeout, _ := o.Silence(e.brisk(m))
	args = append(args, timeout...)
	if m.bare {
		args = append(args, "--exclude=/*")
	}
	if len(m.exclude) > 0 {
		args = append(args, "--from0", "--exclude-from="+process.HeldPath)
	}
	if m.recurse || m.whole || m.delete {
		args = append(args, e.leftovers(m)...)
		args = append(args, o.Rules.Args()...)
	}
	switch {
	case m.only:
		args = append(args, "--from0", "--include-from=-", "--exclude=*")
	case !m.whole:
		// Without --from0, names could hold no newline.
		args = append(args, "--from0", "--files-from=-")
	}
	return append(args, "--", ".", e.to)
}

// brisk reports whether a run goes without --timeout, and is watched for
// silence from outside instead. A daemon that is given one says so in a message
// of its own, and what follows waits for the acknowledgement of that: 45 of
// 50 ms (3.5.0). Runs that can be silent with good reason, because the receiver
// reads much, need rsync's own signs of life.
func (e *Engine) brisk(m mode) bool {
	return e.o.Address.Kind == node.Daemon && !m.recurse && !m.whole && !m.exact
}

func (m mode) flags() []string {
	var f []string
	add := func(on bool, flags ...string) {
		if on {
			f = append(f, flags...)
		}
	}
	add(m.recurse, "--recursive")
	add(!m.recurse, "--dirs") // implied by a list
	// A receiver learns the rules, and so what is excluded and to be left
	// alone, only with --delete (3.5.0, exclude.c): not with
	// --delete-missing-args alone. A plain directory of a list loses nothing
	// by it, only one that is recursed into or that is the root. It has a full
	// directory give way to what is none, too: rsync(1), --force.
	add(m.delete, "--delete-delay")
	add(m.missing, "--delete-missing-args")
	add(m.limited, "--max-delete="+strconv.Itoa(m.limit))
	add(m.only || m.prune, "--existing", "--ignore-existing")
	add(m.exact, "--checksum")
	add(m.dry, "--dry-run")
	return f
}

// list is what --files-from takes: the names end with NUL. Each begins with ./
// because rsync takes one that begins with # or ; for a comment, even so.
func list(paths []string) []byte {
	var b []byte
	for _, path := range paths {
		if path == "" {
			b = append(b, ".\x00"...)
			continue
		}
		b = append(b, "./"...)
		b = append(b, path...)
		b = append(b, 0)
	}
	return b
}

// heldRules have rsync leave paths alone, as --exclude-from takes them after
// --from0. Tens of thousands of files can be open at a time, which is more than
// fits into arguments: execve(2), "Limits on size of arguments and environment".
func heldRules(paths []string) []byte {
	var b []byte
	for _, path := range paths {
		b = append(b, '/')
		b = append(b, filter.Escape(path)...)
		b = append(b, 0)
	}
	return b
}

var wild = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`)

// removals is the list of patterns that lets rsync see the given paths, what is
// below them, and nothing else but the directories above them.
func removals(paths []string) []byte {
	var b []byte
	seen := map[string]bool{}
	rule := func(s string) {
		if !seen[s] {
			seen[s] = true
			b = append(append(append(b, "+ /"...), s...), 0)
		}
	}
	for _, path := range paths {
		for i := range len(path) {
			if path[i] == '/' {
				rule(filter.Escape(path[:i]) + "/")
			}
		}
		rule(filter.Escape(path))
		rule(wild.Replace(path) + "/***") // has wildcards, whatever path is
	}
	return b
}
