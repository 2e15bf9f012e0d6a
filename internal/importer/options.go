package importer

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// options turns options of rsync into keys of a node. What it has no key for
// goes to rsync_args when rsync may have it.
type options struct {
	keys    *block // of the node
	rules   *block // of the mirror: rexcludes, rexcludes_from
	accepts Accepts
	notes   *[]Note
	line    int
}

// switches are the options that are keys of the same sense.
var switches = map[string]string{
	"archive": "archive", "times": "times", "perms": "perms", "owner": "owner",
	"group": "group", "xattrs": "xattrs", "acls": "acls", "hard-links": "hard_links",
	"sparse": "sparse", "compress": "compress", "checksum": "checksum",
	"delay-updates": "delay_updates", "partial": "partial", "delete": "delete",
}

// letters are the short options that are known by their long name here.
var letters = map[byte]string{
	'a': "archive", 't': "times", 'p': "perms", 'o': "owner", 'g': "group",
	'X': "xattrs", 'A': "acls", 'H': "hard-links", 'S': "sparse", 'z': "compress",
	'c': "checksum", 'r': "recursive", 'l': "links", 'v': "verbose", 'q': "quiet",
	's': "secluded-args", 'h': "human-readable", 'e': "rsh", 'i': "itemize-changes",
}

// needless are the options that inosyncd uses in any case, or that only change
// what rsync prints.
var needless = []string{
	"recursive", "links", "verbose", "quiet", "secluded-args", "protect-args",
	"human-readable", "itemize-changes", "progress", "stats", "partial-dir",
}

var deletions = []string{"del", "delete-before", "delete-during", "delete-delay", "delete-after"}

// valued are the options whose value may stand in the next word.
var valued = []string{
	"bwlimit", "timeout", "password-file", "rsh", "exclude", "exclude-from",
	"rsync-path", "partial-dir", "chmod", "chown", "usermap", "groupmap", "contimeout",
}

func (o *options) note(format string, args ...any) {
	*o.notes = append(*o.notes, Note{o.line, fmt.Sprintf(format, args...)})
}

// words reads options as they stand on a command line.
func (o *options) words(words []string) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		long := strings.TrimPrefix(w, "--")
		if w == "-e" {
			long = "rsh"
		}
		if long != w && slices.Contains(valued, long) && i+1 < len(words) {
			i++
			w = "--" + long + "=" + words[i]
		}
		o.word(w)
	}
}

// word reads one option; a value follows its name after an equals sign.
func (o *options) word(w string) {
	if long, ok := strings.CutPrefix(w, "--"); ok {
		name, value, hasValue := strings.Cut(long, "=")
		o.option(w, name, value, hasValue)
		return
	}
	for i := 1; i < len(w) && w[0] == '-'; i++ {
		long := letters[w[i]]
		switch {
		case long == "rsh":
			o.option(w, long, strings.TrimPrefix(w[i+1:], "="), true)
			return
		case long != "":
			o.option("-"+w[i:i+1], long, "", false)
		case o.accepts("-" + w[i:]): // all that follows, which may be its value
			o.keys.add("rsync_args", "-"+w[i:])
			return
		default:
			o.option("-"+w[i:i+1], w[i:i+1], "", false)
		}
	}
	if w == "" || w[0] != '-' {
		o.note("the rsync option %q", w)
	}
}

var rate = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?[kKMG]?$`)

func (o *options) option(given, name, value string, hasValue bool) {
	off, negated := strings.CutPrefix(name, "no-")
	switch {
	case negated && len(off) == 1 && switches[letters[off[0]]] != "":
		o.keys.set(switches[letters[off[0]]], false)
	case negated && switches[off] != "":
		o.keys.set(switches[off], false)
	case !hasValue && switches[name] != "":
		o.keys.set(switches[name], true)
	case slices.Contains(deletions, name):
		o.keys.set("delete", true)
	case slices.Contains(needless, name):
	case name == "bwlimit" && rate.MatchString(value):
		o.keys.set("rspeed", word(value))
	case name == "timeout" && strings.Trim(value, "0123456789") == "" && strings.Trim(value, "0") != "":
		o.keys.set("timeout", word(strings.TrimLeft(value, "0")))
	case name == "password-file" && path.IsAbs(value):
		o.keys.set("password_file", value)
	case name == "rsh" && hasValue:
		o.shell(splitWords(value))
	case name == "exclude" && value != "":
		o.rules.add("rexcludes", value)
	case name == "exclude-from" && path.IsAbs(value) && o.rules.get("rexcludes_from") == nil:
		o.rules.set("rexcludes_from", value)
	case o.accepts(given):
		o.keys.add("rsync_args", given)
	default:
		o.note("the rsync option %s", given)
	}
}

// splitWords splits text as rsync splits the value of --rsh: at spaces, with
// quotes around what holds some.
func splitWords(text string) []string {
	var words []string
	var b strings.Builder
	quote, begun := rune(0), false
	for _, r := range text + " " {
		switch {
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if begun {
				words = append(words, b.String())
			}
			begun = false
			b.Reset()
		case quote == 0 && (r == '"' || r == '\''):
			quote, begun = r, true
		case r == quote:
			quote = 0
		default:
			begun = true
			b.WriteRune(r)
		}
	}
	return words
}
