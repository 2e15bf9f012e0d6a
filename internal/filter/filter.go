// Package filter decides which paths are mirrored, by rsync's own rules: one
// matcher for what is watched, queued, compared and protected from deletion.
//
// The rules are those of rsync's --exclude and --exclude-from, read as rsync 3.5.0
// reads them (rsync(1), "FILTER RULES"). Rules that rsync accepts but this package
// does not support are refused when read, never ignored: an ignored rule would send
// or delete data against the administrator's will.
//
// Paths are relative to the root of the transfer: components joined by '/', no
// leading and no trailing slash, "" for the root, which nothing excludes. They
// are bytes, so '?' is one byte and no case is folded.
//
// # Ordering
//
// Rules are tried in the order in which they were given, and the first that
// matches decides; if none does, the path is mirrored. An excluded directory
// excludes everything below it, whatever the rules say about that.
//
// # Blocking and shutdown
//
// Nothing here blocks, starts a goroutine or needs closing. [Rules.Match] does
// not allocate. No pattern makes it slow: its time is bounded by the product of the
// lengths of pattern, path and longest component, and in practice it reads the path
// once.
package filter

import (
	"slices"
	"strings"
)

// Rules is an ordered list of rules, the first of which that matches decides.
// It is immutable and safe for concurrent use. The nil *Rules excludes nothing.
type Rules struct {
	given []Line // all that was parsed, for With
	rules []rule // what is in force: all after the last "!"
}

type rule struct {
	line    Line
	pattern pattern
	include bool
}

// Match reports whether the first rule that matches path excludes it, without
// looking at its parents: for walkers, which come from the top. dir says that
// path is a directory (a link to one is none).
func (r *Rules) Match(path string, dir bool) bool {
	first := r.first(path, dir)
	return first != nil && !first.include
}

// first returns the rule that decides for path itself, nil if there is none.
func (r *Rules) first(path string, dir bool) *rule {
	if r == nil || path == "" {
		return nil
	}
	name := base(path)
	for i := range r.rules {
		if r.rules[i].pattern.matches(path, name, dir) {
			return &r.rules[i]
		}
	}
	return nil
}

// Excluded reports whether path or a directory above it is excluded.
func (r *Rules) Excluded(path string, dir bool) bool {
	decides := r.decides(path, dir)
	return decides != nil && !decides.include
}

// Explain names the rule that decides for path or for the topmost excluded
// directory above it. ok is false when no rule matches.
func (r *Rules) Explain(path string, dir bool) (rule Line, excluded, ok bool) {
	decides := r.decides(path, dir)
	if decides == nil {
		return Line{}, false, false
	}
	return decides.line, !decides.include, true
}

// decides returns the rule that excludes the topmost excluded directory above
// path or, where there is none, the first rule for path itself.
func (r *Rules) decides(path string, dir bool) *rule {
	if r == nil || len(r.rules) == 0 {
		return nil
	}
	for i := range len(path) {
		if path[i] != '/' {
			continue
		}
		if above := r.first(path[:i], true); above != nil && !above.include {
			return above
		}
	}
	return r.first(path, dir)
}

// Args are the rules as rsync options, in order, one element of an argument
// list each.
func (r *Rules) Args() []string {
	if r == nil {
		return nil
	}
	args := make([]string, 0, len(r.rules))
	for _, rule := range r.rules {
		// The prefix is written even where the option implies it: what
		// follows it is not searched for another.
		switch {
		case rule.include:
			args = append(args, "--include=+ "+rule.pattern.text)
		case rule.line.Perishable:
			args = append(args, "--filter=-p "+rule.pattern.text)
		default:
			args = append(args, "--exclude=- "+rule.pattern.text)
		}
	}
	return args
}

// With returns rules that have extra at their end, read as by [Parse]. r is
// not changed and may be nil.
func (r *Rules) With(extra ...Line) (*Rules, error) {
	if r == nil {
		return Parse(extra)
	}
	return Parse(slices.Concat(r.given, extra))
}

// Useless are the lines in force whose patterns cannot match any path, such as
// "./foo", "foo//bar" or "[a". rsync accepts them; who wrote one made a
// mistake.
func (r *Rules) Useless() []Line {
	var lines []Line
	if r == nil {
		return nil
	}
	for _, rule := range r.rules {
		if rule.pattern.kind == never {
			lines = append(lines, rule.line)
		}
	}
	return lines
}

// Escape returns the pattern that, behind a leading slash, matches the path
// name and no other.
func Escape(name string) string {
	// rsync takes a backslash for itself unless a wildcard makes it look
	// for escapes.
	if !strings.ContainsAny(name, wildcards) {
		return name
	}
	return escaper.Replace(name)
}

var escaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)
