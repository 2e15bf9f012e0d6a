package config

import (
	"fmt"
	"path"

	"go.yaml.in/yaml/v3"

	"inosyncd/delta/rsync/node"
)

// mirrors reads the list of mirrors or, where there is none, the one mirror
// that the keys at the top describe.
func (l *loader) mirrors(top *scope) []Mirror {
	list := top.own["mirrors"]
	if list == nil {
		return []Mirror{l.mirror(&scope{at: top.at, outer: top})}
	}
	if s := top.own["name"]; s != nil {
		l.bad(s, s.node, "belongs in the elements of mirrors: no two have the same", "")
		delete(top.own, "name")
	}
	if list.node.Kind != yaml.SequenceNode {
		l.bad(list, list.node, listError(list.node).Error(), "")
		return nil
	}
	if len(list.node.Content) == 0 {
		l.bad(list, list.node, "must have one mirror or more", "")
	}
	var mirrors []Mirror
	lines := map[string]int{}
	for _, element := range list.node.Content {
		n := target(element)
		if n.Kind != yaml.MappingNode {
			l.bad(list, element, "a mirror must be a map of keys such as name, wpath, rnodes", "")
			continue
		}
		s := &scope{at: element, own: l.mapping(n, atMirror), outer: top}
		m := l.mirror(s)
		l.nameOnce(lines, m.Name, s)
		mirrors = append(mirrors, m)
	}
	l.warnShared(top, mirrors)
	return mirrors
}

// nameOnce reports a name that an earlier mirror has.
func (l *loader) nameOnce(lines map[string]int, name string, s *scope) {
	fault := l.at("name", s.at)
	if x := s.own["name"]; x != nil {
		fault = l.of(x, x.node)
	}
	if line, taken := lines[name]; taken && name != "" {
		fault.Value = name
		fault.Msg = fmt.Sprintf("a second mirror of this name, the first is in line %d", line)
		l.faults = append(l.faults, fault)
		return
	}
	lines[name] = fault.Line
}

// mirror reads one mirror.
func (l *loader) mirror(s *scope) Mirror {
	var m Mirror
	l.fill(&m, s, PerMirror)
	l.wpath(&m, s)
	if m.Name == "" {
		l.deriveName(&m, s)
	}
	if x := s.find("emask"); m.Mask == 0 && x.value != nil {
		l.warn(x, x.node, "no event starts a sync")
	}
	l.checkProgram(s)
	m.Nodes = l.nodes(s, m)
	m.Rules = l.rules(s, m)
	return m
}

// wpath completes and checks the directory to watch. That it is not there is
// no fault: the mirror waits for it.
func (l *loader) wpath(m *Mirror, s *scope) {
	x := s.find("wpath")
	if x == nil {
		l.fault("wpath", s.at, "required: the directory to watch")
		return
	}
	if m.WPath == "" {
		if x.value != nil {
			l.bad(x, x.node, "must be an absolute path", "")
		}
		return
	}
	local, err := node.ParseAddress(m.WPath, "") // spelled as a local node is
	if err != nil {
		l.bad(x, x.node, err.Error(), "")
		return
	}
	m.WPath = local.Path
	l.checkDirectory(x, m.WPath)
}

func (l *loader) deriveName(m *Mirror, s *scope) {
	if x := s.find("name"); x != nil {
		if x.value != nil {
			l.bad(x, x.node, "must not be empty", "")
		}
		return
	}
	if m.WPath != "" {
		m.Name = path.Base(m.WPath)
	}
}

// warnShared warns of mirrors that write to the same place: each would delete
// what the other has sent.
func (l *loader) warnShared(top *scope, mirrors []Mirror) {
	owner := map[string]string{}
	for _, m := range mirrors {
		for _, n := range m.Nodes {
			first, shared := owner[n.Name]
			if shared && first != m.Name {
				list := top.own["mirrors"]
				l.warn(list, list.node, fmt.Sprintf("%q and %q both write to %s and would undo each other", first, m.Name, n.Name))
			}
			owner[n.Name] = m.Name
		}
	}
}

// checkTop checks what concerns all mirrors.
func (l *loader) checkTop(c *Config, top *scope) {
	if x := top.find("control"); x != nil && len(c.Control) > longestSocket {
		l.bad(x, x.node, fmt.Sprintf("must have no more than %d bytes", longestSocket), "")
	}
	for _, x := range l.passwords {
		if path, _ := x.value.(string); path != "" && !x.used {
			l.checkPassword(x, path)
			l.warn(x, x.node, "no node here is an rsync daemon: only those have a password")
		}
	}
}
