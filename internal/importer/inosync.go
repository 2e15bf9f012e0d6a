package importer

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// inosync turns the assignments of one file into one mirror.
type inosync struct {
	*python
	out   block
	opts  options
	notes []Note
}

// Inosync imports a configuration of inosync. The error is Faults.
func Inosync(content []byte, accepts Accepts) (Result, error) {
	if !utf8.Valid(content) {
		return Result{}, Faults{{1, "the file is not UTF-8"}}
	}
	i := &inosync{python: readPython(string(content))}
	// What inosync calls is rsync -ltrp --delete.
	var node, rules block
	node.set("archive", false)
	node.set("perms", true)
	i.opts = options{keys: &node, rules: &rules, accepts: accepts, notes: &i.notes}
	for _, key := range known {
		if v, ok := i.vars[key]; ok {
			i.opts.line = v.line
			i.key(key, v)
		} else if key == "wpath" || key == "rnodes" {
			i.fault(value{line: 1}, "%s is missing", key)
		}
	}
	for _, key := range i.order {
		if !slices.Contains(known, key) && !i.used[key] {
			i.notes = append(i.notes, Note{i.vars[key].line, key + ": inosyncd has no such key"})
		}
	}
	if len(i.faults) > 0 {
		slices.SortStableFunc(i.faults, func(a, b Note) int { return a.Line - b.Line })
		return Result{}, i.faults
	}
	for _, n := range rules.node.Content {
		if n.Kind == yaml.SequenceNode {
			for _, pattern := range n.Content {
				i.out.add("rexcludes", pattern.Value)
			}
		}
	}
	if n := rules.get("rexcludes_from"); n != nil {
		i.out.set("rexcludes_from", n.Value)
	}
	i.out.take(&node)
	return document("inosync", i.notes, &i.out)
}

// known are the names that inosync knows.
var known = []string{"wpath", "rpath", "rnodes", "rexcludes", "emask", "edelay", "rspeed", "rsync", "extra", "logfile"}

func (i *inosync) fault(v value, format string, args ...any) {
	i.faults = append(i.faults, Note{v.line, fmt.Sprintf(format, args...)})
}

func (i *inosync) key(key string, v value) {
	switch key {
	case "wpath", "rpath", "rsync":
		i.absolute(key, key, v)
	case "logfile":
		i.absolute(key, "log_file", v)
	case "rnodes":
		i.nodes(v)
	case "rexcludes":
		if list, ok := v.texts(); !ok {
			i.fault(v, "rexcludes must be a list of strings")
		} else if len(list) > 0 {
			i.out.set(key, list)
		}
	case "emask":
		i.events(v)
	case "edelay", "rspeed":
		if v.kind != number {
			i.fault(v, "%s must be a number", key)
			return
		}
		i.out.set(key, word(v.text))
	case "extra":
		i.extra(v)
	}
}

func (i *inosync) absolute(key, as string, v value) {
	switch {
	case v.kind != str:
		i.fault(v, "%s must be a string", key)
	case v.text == "" && key != "wpath": // as if it were not there
	case !path.IsAbs(v.text):
		i.fault(v, "%s must be an absolute path", key)
	default:
		i.out.set(as, v.text)
	}
}

// nodes reads a list of addresses, or a dict of hosts and what is special to
// each: its path, or nothing.
func (i *inosync) nodes(v value) {
	var nodes []*yaml.Node
	list, ok := v.texts()
	if len(v.fields) > 0 && len(v.items) == 0 {
		ok = true
		for _, f := range v.fields {
			switch {
			case f.kind == nothing || f.text == "" && f.kind == str:
				list = append(list, f.key)
			case f.kind == str && path.IsAbs(f.text):
				list = append(list, strings.TrimSuffix(f.key, ":")+":"+f.text)
			default:
				i.fault(f.value, "the node %q: only its path can be read", f.key)
			}
		}
	}
	if !ok || v.kind == name || len(list) == 0 && len(i.faults) == 0 {
		i.fault(v, "rnodes must be a list of nodes")
		return
	}
	for _, address := range list {
		nodes = append(nodes, asNode(address))
	}
	i.out.set("rnodes", nodes)
}

func (i *inosync) events(v value) {
	list, ok := v.texts()
	var names []string
	for _, event := range list {
		for one := range strings.SplitSeq(event, "|") {
			names = append(names, strings.TrimSpace(one))
		}
	}
	if !ok || len(names) == 0 {
		i.fault(v, "emask must be names of events")
		return
	}
	i.out.set("emask", names)
}

// extra reads further options of rsync, which inosync put on the command line.
func (i *inosync) extra(v value) {
	if v.kind == str {
		i.opts.words(splitWords(v.text))
		return
	}
	list, ok := v.texts()
	if !ok {
		i.fault(v, "extra must be a string or a list of strings")
		return
	}
	i.opts.words(list)
}
