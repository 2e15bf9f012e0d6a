package node

import (
	"fmt"
	"slices"
	"strings"
)

// harmless are the long options that may stand in rsync_args: those that
// change neither which entries are compared, nor what is deleted, nor what
// rsync prints. The list says what is allowed rather than what is not, so that
// an option of a later rsync is refused until somebody has looked at it.
var harmless = map[string]bool{ // true: takes a value, as --option=value
	"8-bit-output":       false,
	"address":            true,
	"atimes":             false,
	"block-size":         true,
	"blocking-io":        false,
	"checksum-choice":    true,
	"checksum-seed":      true,
	"chmod":              true,
	"chown":              true,
	"compress-choice":    true,
	"compress-level":     true,
	"crtimes":            false,
	"executability":      false,
	"fake-super":         false,
	"fsync":              false,
	"fuzzy":              false,
	"groupmap":           true,
	"ignore-times":       false,
	"ipv4":               false,
	"ipv6":               false,
	"max-alloc":          true,
	"munge-links":        false,
	"new-compress":       false,
	"numeric-ids":        false,
	"old-compress":       false,
	"omit-dir-times":     false,
	"omit-link-times":    false,
	"open-noatime":       false,
	"preallocate":        false,
	"protocol":           true,
	"remote-option":      true,
	"rsync-path":         true,
	"skip-compress":      true,
	"sockopts":           true,
	"super":              false,
	"usermap":            true,
	"whole-file":         false,
	"no-8-bit-output":    false,
	"no-blocking-io":     false,
	"no-fuzzy":           false,
	"no-motd":            false,
	"no-munge-links":     false,
	"no-numeric-ids":     false,
	"no-omit-dir-times":  false,
	"no-omit-link-times": false,
	"no-super":           false,
	"no-whole-file":      false,
}

// short gives the long names of the one-letter options.
var short = map[byte]string{
	'4': "ipv4", '6': "ipv6", '8': "8-bit-output",
	'a': "archive", 'b': "backup", 'B': "block-size", 'c': "checksum",
	'C': "cvs-exclude", 'd': "dirs", 'e': "rsh", 'f': "filter", 'F': "filter",
	'g': "group", 'h': "human-readable", 'H': "hard-links",
	'i': "itemize-changes", 'I': "ignore-times", 'k': "copy-dirlinks",
	'K': "keep-dirlinks", 'l': "links", 'L': "copy-links", 'm': "prune-empty-dirs",
	'M': "remote-option", 'n': "dry-run", 'N': "crtimes", 'o': "owner",
	'O': "omit-dir-times", 'J': "omit-link-times", 'E': "executability",
	'p': "perms", 'P': "partial", 'q': "quiet", 'r': "recursive",
	'R': "relative", 's': "secluded-args", 'S': "sparse", 't': "times",
	'T': "temp-dir", 'u': "update", 'U': "atimes", 'v': "verbose",
	'W': "whole-file", 'x': "one-file-system", 'X': "xattrs", 'y': "fuzzy",
	'z': "compress", 'A': "acls", 'D': "devices",
}

// instead names what to use in place of an option that is refused.
var instead = map[string]string{
	"acls": "acls", "archive": "archive", "bwlimit": "rspeed",
	"checksum": "checksum", "compress": "compress", "contimeout": "timeout",
	"delay-updates": "delay_updates", "delete": "delete", "devices": "archive",
	"specials": "archive", "exclude": "rexcludes", "exclude-from": "rexcludes_from",
	"filter": "rexcludes", "group": "group", "hard-links": "hard_links",
	"include": "rexcludes", "include-from": "rexcludes_from",
	"max-delete": "max_delete", "owner": "owner", "partial": "partial",
	"partial-dir": "partial", "password-file": "password_file",
	"perms": "perms", "port": "rnodes (rsync://HOST:PORT/MODULE)",
	"rsh": "ssh", "sparse": "sparse", "timeout": "timeout", "times": "times",
	"xattrs": "xattrs", "recursive": "recursive", "dry-run": "-p",
}

// CheckArgs reports the first of args that inosyncd does not pass on to rsync,
// and the key to use in its place where there is one. Each element has to be
// one option: --name, --name=value, or letters such as -W and -yO.
func CheckArgs(args []string) error {
	for _, arg := range args {
		if err := checkArg(arg); err != nil {
			return err
		}
	}
	return nil
}

func checkArg(arg string) error {
	if strings.ContainsFunc(arg, isControl) { // a newline goes to a node's shell as it is, before 3.5.0
		return fmt.Errorf("rsync option %q holds a control character", arg)
	}
	if long, ok := strings.CutPrefix(arg, "--"); ok && long != "" {
		name, value, hasValue := strings.Cut(long, "=")
		return checkOption(arg, name, value, hasValue)
	}
	letters, ok := strings.CutPrefix(arg, "-")
	if !ok || letters == "" || letters == "-" {
		return fmt.Errorf("%q is no rsync option (write an option and its value as one element, --option=value)", arg)
	}
	for i := range len(letters) {
		name, known := short[letters[i]]
		if !known {
			name = letters[i : i+1]
		}
		rest := letters[i+1:]
		if takesValue := harmless[name]; takesValue {
			return checkOption(arg, name, strings.TrimPrefix(rest, "="), rest != "")
		}
		if err := checkOption(arg, name, "", false); err != nil {
			return err
		}
	}
	return nil
}

func checkOption(arg, name, value string, hasValue bool) error {
	takesValue, ok := harmless[name]
	switch {
	case !ok:
		return refused(arg, name)
	case takesValue && !hasValue:
		return fmt.Errorf("rsync option %q lacks its value (write --%s=VALUE as one element)", arg, name)
	case !takesValue && hasValue:
		return fmt.Errorf("rsync option %q takes no value", arg)
	case name == "remote-option" && !slices.Contains([]string{"--fake-super", "--super", "--no-super"}, value):
		return fmt.Errorf("rsync option %q: only --fake-super, --super and --no-super can be sent to the other end", arg)
	}
	return nil
}

func refused(arg, name string) error {
	key := strings.TrimPrefix(name, "no-")
	if len(key) == 1 && short[key[0]] != "" {
		key = short[key[0]] // --no-p is --no-perms
	}
	if strings.HasPrefix(key, "del") && key != "delay-updates" {
		key = "delete"
	}
	if use := instead[key]; use != "" {
		return fmt.Errorf("rsync option %q cannot be used here: use %s", arg, use)
	}
	return fmt.Errorf("rsync option %q cannot be used here: it would change what inosyncd relies on, or is not known", arg)
}
