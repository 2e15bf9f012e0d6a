package importer

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// lsyncd turns the calls of one file into mirrors.
type lsyncd struct {
	out     block
	mirrors []*mirror
	notes   []Note
	accepts Accepts
}

// mirror is what syncs of one source with the same excludes and delay become.
type mirror struct {
	source string
	keys   block
	nodes  []node
}

type node struct {
	target string
	keys   block
}

// Lsyncd imports a configuration of lsyncd. The error is Faults.
func Lsyncd(content []byte, accepts Accepts) (Result, error) {
	if !utf8.Valid(content) {
		return Result{}, Faults{{1, "the file is not UTF-8"}}
	}
	read := readLua(string(content))
	l := &lsyncd{notes: read.notes, accepts: accepts}
	for _, c := range read.calls {
		if c.name == "settings" {
			l.settings(c.value)
		} else {
			l.sync(c.value)
		}
	}
	if len(l.mirrors) == 0 {
		faults := append(Faults{}, l.notes...)
		return Result{}, append(faults, Note{1, "no sync that can be taken over"})
	}
	l.write()
	return document("lsyncd", l.notes, &l.out)
}

func (l *lsyncd) note(line int, format string, args ...any) {
	l.notes = append(l.notes, Note{line, fmt.Sprintf(format, args...)})
}

func (l *lsyncd) settings(v value) {
	for _, f := range v.fields {
		switch {
		case f.key == "logfile" && f.kind == str && path.IsAbs(f.text):
			l.out.set("log_file", f.text)
		case f.key == "pidfile" && f.kind == str && path.IsAbs(f.text):
			l.out.set("pid_file", f.text)
		case f.key == "maxProcesses" && f.kind == number && strings.Trim(f.text, "0123456789") == "" && f.text[0] != '0':
			l.out.set("max_parallel", word(f.text))
		case f.key == "insist" && f.truth(): // a node that is down is always tried again
		case f.key == "statusFile", f.key == "statusInterval":
			l.note(f.line, "settings.%s: see inosyncd status", f.key)
		case f.key == "nodaemon":
			l.note(f.line, "settings.nodaemon: inosyncd runs in the background with -d only")
		default:
			l.note(f.line, "settings.%s", f.key)
		}
	}
	for _, item := range v.items {
		l.note(item.line, "settings: a value without a name")
	}
}

// sync reads one sync{...}.
func (l *lsyncd) sync(v value) {
	s := &lsyncdSync{lsyncd: l}
	s.opts = options{keys: &s.node.keys, rules: &s.rules, accepts: l.accepts, notes: &l.notes, line: v.line}
	// What lsyncd's rsync copies by default are links and times.
	s.node.keys.set("archive", false)
	for n, item := range v.items {
		if n > 0 || item.kind != name {
			l.note(item.line, "sync: a value without a name")
			continue
		}
		s.how = strings.TrimPrefix(item.text, "default.")
	}
	for _, f := range v.fields {
		s.opts.line = f.line
		s.field(f)
	}
	s.finish(v.line)
}

// add puts a node with the mirror that has the same keys.
func (l *lsyncd) add(source string, keys block, n node) {
	for _, m := range l.mirrors {
		if m.source == source && m.keys.same(&keys) {
			m.nodes = append(m.nodes, n)
			return
		}
	}
	l.mirrors = append(l.mirrors, &mirror{source, keys, []node{n}})
}

// write puts a single mirror at the top and several into a list, each with a
// name of its own.
func (l *lsyncd) write() {
	if len(l.mirrors) == 1 {
		l.out.take(l.mirrors[0].block())
		return
	}
	var list []*yaml.Node
	var names []string
	for _, m := range l.mirrors {
		base := path.Base(m.source)
		unique := base
		for n := 2; slices.Contains(names, unique); n++ {
			unique = fmt.Sprintf("%s-%d", base, n)
		}
		names = append(names, unique)
		var b block
		b.set("name", unique)
		b.take(m.block())
		list = append(list, &b.node)
	}
	l.out.set("mirrors", list)
}

// block is the mirror in YAML. Keys that all of its nodes have alike stand
// above them.
func (m *mirror) block() *block {
	var b block
	b.set("wpath", m.source)
	alike := !slices.ContainsFunc(m.nodes, func(n node) bool { return !n.keys.same(&m.nodes[0].keys) })
	var list []*yaml.Node
	for _, n := range m.nodes {
		if alike {
			list = append(list, asNode(n.target))
			continue
		}
		var long block
		long.set("target", n.target)
		long.take(&n.keys)
		list = append(list, &long.node)
	}
	b.set("rnodes", list)
	b.take(&m.keys)
	if alike {
		b.take(&m.nodes[0].keys)
	}
	return &b
}
