package filter

import "strings"

// form is a rule in the syntax of rsync's --filter, which has more kinds of
// rules than exclude lines have. It is read to recognise such a rule where
// only an exclude line can stand: it would be a valid pattern, but one that
// does not do what it says.
type form struct {
	kind    *formKind
	mods    string
	sep     byte   // ' ' or '_' before the pattern, 0 when there is no pattern
	pattern string // a file name for the kinds '.' and ':'
}

type formKind struct {
	short byte
	name  string
	mods  string // modifiers it takes
}

// The kinds of rules with their modifiers, as rsync 3.5.0 takes them.
var formKinds = [...]formKind{
	{short: '-', name: "exclude", mods: "/!Csrpx"},
	{short: '+', name: "include", mods: "/!Csrpx"},
	{short: '.', name: "merge", mods: "-+Cenw/srpx"},
	{short: ':', name: "dir-merge", mods: "-+Cenw/srpx"},
	{short: 'H', name: "hide", mods: "/!p"},
	{short: 'S', name: "show", mods: "/!p"},
	{short: 'P', name: "protect", mods: "/!p"},
	{short: 'R', name: "risk", mods: "/!p"},
	{short: '!', name: "clear"},
}

// parseForm reads text as rsync's --filter would: a short name, its modifiers,
// one space or underscore and a pattern; a comma may stand before the
// modifiers and must after a long name. ok is false where rsync would say
// that it is no rule.
func parseForm(text string) (f form, ok bool) {
	f, rest := parseKind(text)
	if f.kind == nil {
		return form{}, false
	}
	end := strings.IndexAny(rest, " _")
	if end < 0 {
		f.mods = rest
	} else {
		f.mods, f.sep, f.pattern = rest[:end], rest[end], rest[end+1:]
	}
	if strings.Trim(f.mods, f.kind.mods) != "" {
		return form{}, false
	}
	switch {
	case f.kind.short == '!':
		return f, f.sep == 0
	case strings.Contains(f.mods, "C"): // a list, or a file name, of its own
		return f, true
	default:
		return f, f.pattern != ""
	}
}

// parseKind reads the name of a rule; rest begins with the modifiers. The kind
// is nil when there is no such name.
func parseKind(text string) (f form, rest string) {
	for i := range formKinds {
		kind := &formKinds[i]
		if after, ok := strings.CutPrefix(text, kind.name); ok && (after == "" || strings.IndexByte(" _,", after[0]) >= 0) {
			return form{kind: kind}, strings.TrimPrefix(after, ",")
		}
		if text != "" && text[0] == kind.short {
			return form{kind: kind}, strings.TrimPrefix(text[1:], ",")
		}
	}
	return form{}, ""
}

// meant reports whether somebody who writes f as an exclude line must mean the
// filter rule. Where only an underscore makes it one it is a pattern like "._*"
// or "S_1", and "clear" is a name.
func (f form) meant() bool {
	return f.sep == ' ' || strings.Contains(f.mods, "C")
}
