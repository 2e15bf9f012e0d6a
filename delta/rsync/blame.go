package rsync

import (
	"path"
	"regexp"
	"strings"

	"inosyncd/delta/rsync/output"
)

// blame finds the entries that the messages of an incomplete run are about.
// rsync names them as absolute paths of either end, as paths in a module, or
// relative to the transfer.
type blame struct {
	source string // absolute path of the source directory, with a slash at its end
	node   string // the same of the node's; "" when it is not known
	module string // path inside the daemon's module, "" or with a slash at its end

	names    []string // entries that failed, relative to the source
	gone     []string // entries that vanished before they could be sent
	unknown  bool     // something failed that cannot be told
	noDelete bool     // rsync removed nothing, for it could not read all of the source
}

var (
	removing = regexp.MustCompile(`delete_file: (?:unlink|rmdir)\((.*)\) failed: `)
	trailing = regexp.MustCompile(`^(?:could not make way for [a-z ]+|ERROR): (.*?)(?: failed verification -- .*)?$`)
	tempName = regexp.MustCompile(`^\.(.+)\.[A-Za-z0-9]{6}$`)
)

// read takes in one line.
func (b *blame) read(line string) {
	switch {
	case strings.Contains(line, "IO error encountered") && strings.Contains(line, "skipping file deletion"):
		b.noDelete = true
	case strings.HasPrefix(line, limitNote):
		b.unknown = true
	case strings.HasPrefix(line, "file has vanished: "),
		strings.Contains(line, "link_stat ") && strings.HasSuffix(line, "No such file or directory (2)"):
		b.add(&b.gone, line)
	case strings.HasPrefix(line, "WARNING: ") && strings.HasSuffix(line, "(will try again)"):
		// It will, and says so when that fails too.
	case strings.HasPrefix(line, "rsync: ["), strings.HasPrefix(line, "could not make way for "),
		strings.HasPrefix(line, "ERROR: "):
		b.add(&b.names, line)
	}
}

// add appends the entry that line is about to names.
func (b *blame) add(names *[]string, line string) {
	found, ok := "", false
	if m := removing.FindStringSubmatch(line); m != nil {
		found, ok = output.Unescape(m[1]), true
	} else if m := trailing.FindStringSubmatch(line); m != nil {
		found, ok = output.Unescape(m[1]), true
	} else if name, rest, cut := between(line); cut {
		found, ok = b.relative(output.Unescape(name), strings.HasPrefix(rest, " (in "))
	}
	if !ok || !sound(found) {
		b.unknown = true
		return
	}
	*names = append(*names, found)
}

// between returns the first text in quotes and what follows it. A quote in a
// name is not escaped, so a line with more quotes than it should have tells
// nothing for sure.
func between(line string) (name, rest string, ok bool) {
	want := 2
	if strings.Contains(line, `" -> "`) {
		want = 4
	}
	if strings.Count(line, `"`) != want {
		return "", "", false
	}
	_, line, _ = strings.Cut(line, `"`)
	return strings.Cut(line, `"`)
}

// relative turns a path as rsync names it into one below the source.
func (b *blame) relative(name string, inModule bool) (string, bool) {
	if inModule {
		name, ok := strings.CutPrefix(strings.TrimPrefix(name, "/")+"/", b.module)
		return plainName(strings.TrimSuffix(name, "/"), ok)
	}
	if rel, ok := strings.CutPrefix(name+"/", b.source); ok {
		return strings.TrimSuffix(rel, "/"), true
	}
	if b.node == "" {
		return "", false
	}
	rel, ok := strings.CutPrefix(name+"/", b.node)
	return plainName(strings.TrimSuffix(rel, "/"), ok)
}

// plainName turns the name of what a receiver writes, and later renames, into
// the name it is for. A long one has lost its end.
func plainName(name string, ok bool) (string, bool) {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, output.PartialDir+"/")
	dir = strings.TrimSuffix(dir, output.DelayedDir+"/")
	if m := tempName.FindStringSubmatch(base); m != nil {
		base, ok = m[1], ok && len(base) < 240
	}
	return dir + base, ok
}

// sound reports whether name can be that of an entry below the source.
func sound(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" && name != "" || part == "." || part == ".." {
			return false
		}
	}
	return len(name) < 4096
}
