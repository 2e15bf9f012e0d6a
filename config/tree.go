package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// setting is a value and where it was written.
type setting struct {
	key  *Key
	node *yaml.Node // without aliases
	from string     // file, variable or flag; "" is the table of keys

	used    bool // something was made of it
	decoded bool // value is what it says, nil when it is faulty
	value   any
}

// settings are the keys of one mapping.
type settings map[string]*setting

// scope is a mapping and those that hold its defaults.
type scope struct {
	at    *yaml.Node // for what is missing
	own   settings
	outer *scope
}

// find returns the setting that holds for the scope, nil where there is none.
func (s *scope) find(name string) *setting {
	for ; s != nil; s = s.outer {
		if x := s.own[name]; x != nil {
			return x
		}
	}
	return nil
}

// mapping reads the keys of n, which stands at a place that takes keys of the
// scopes given. What is unknown, out of place or there twice is a fault.
func (l *loader) mapping(n *yaml.Node, place Scope) settings {
	read := settings{}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		key := find(name.Value, place)
		line := lines[name.Value]
		switch {
		case name.Kind != yaml.ScalarNode:
			l.fault("", name, "a key must be a plain word")
		case line > 0:
			l.fault(name.Value, name, fmt.Sprintf("there twice, first in line %d", line))
		case key == nil:
			l.unknown(name, place)
		default:
			read[name.Value] = &setting{key: key, node: target(n.Content[i+1]), from: l.file}
		}
		if line == 0 {
			lines[name.Value] = name.Line
		}
	}
	return read
}

// unknown reports the key that name holds: it stands at the wrong place, or
// there is no such key.
func (l *loader) unknown(name *yaml.Node, place Scope) {
	fault := l.at(name.Value, name)
	fault.Msg = "unknown key"
	if place == atSSH {
		fault.Key = "ssh." + name.Value
	}
	switch k := find(name.Value, atTop|InNode); {
	case place == atSSH || k == nil:
		fault.Hint = nearest(name.Value, names(place))
	case k.Scope&Top != 0:
		fault.Msg = "belongs at the top of the file"
	case k.Scope&InNode != 0:
		fault.Msg = "belongs in an element of rnodes"
	default:
		fault.Msg = "belongs to the mirror, not to a single node"
	}
	l.faults = append(l.faults, fault)
}

// target follows an alias. An alias of an alias is none that YAML can write.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
