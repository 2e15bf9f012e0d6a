package config

import (
	"cmp"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"inosyncd/delta/rsync/node"
)

// nodes reads the nodes of m.
func (l *loader) nodes(mirror *scope, m Mirror) []Node {
	list := mirror.find("rnodes")
	switch {
	case list == nil:
		l.fault("rnodes", mirror.at, "required: the nodes to mirror to")
		return nil
	case list.node.Kind != yaml.SequenceNode:
		l.bad(list, list.node, listError(list.node).Error(), "")
		return nil
	case len(list.node.Content) == 0:
		l.bad(list, list.node, "must have one node or more", "")
		return nil
	}
	var nodes []Node
	lines := map[string]int{}
	for _, element := range list.node.Content {
		s, x := l.nodeScope(list, element, mirror)
		if x == nil {
			continue
		}
		n := l.node(s, x, m)
		if line, there := lines[n.Name]; there {
			l.bad(x, x.node, fmt.Sprintf("the same node as in line %d", line), "")
			continue
		}
		if n.Name != "" {
			lines[n.Name] = x.node.Line
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// nodeScope returns the keys of one element of rnodes and the setting of its
// address, nil where there is none. The element is the address itself or a map
// with target. What inosync had as "- a.mirror.com:" is to YAML a map of that
// host with an empty value.
func (l *loader) nodeScope(list *setting, element *yaml.Node, mirror *scope) (*scope, *setting) {
	s := &scope{at: element, own: settings{}, outer: mirror}
	n := target(element)
	address := &setting{key: list.key, node: n, from: list.from}
	switch {
	case n.Kind == yaml.ScalarNode:
		return s, address
	case n.Kind != yaml.MappingNode:
		l.bad(list, element, "a node must be a string or a map with target (quote an address that begins with a bracket)", "")
		return s, nil
	}
	if len(n.Content) == 2 && find(n.Content[0].Value, atTop|InNode) == nil {
		if address.node = n.Content[0]; n.Content[1].ShortTag() == "!!null" {
			whole := *address.node // YAML took the last colon for its own
			whole.Value += ":"
			address.node = &whole
			return s, address
		}
		if n.Content[1].Kind == yaml.ScalarNode {
			l.bad(address, address.node, "not a key of a node; an address with a path has no space after its colon", nearest(address.node.Value, names(atNode)))
			return s, nil
		}
	}
	s.own = l.mapping(n, atNode)
	if s.own["target"] == nil {
		l.fault("target", element, "required: the address of the node")
	}
	return s, s.own["target"]
}

// node reads one node of m, whose address is the setting x.
func (l *loader) node(s *scope, x *setting, m Mirror) Node {
	if s.own["enabled"] == nil { // the mirror's own says nothing of its nodes
		s.own["enabled"] = l.defaults["enabled"]
	}
	var n Node
	l.fill(&n, s, PerNode)
	n.Perms = l.orArchive(s, "perms", n.Perms, n.Archive)
	n.Owner = l.orArchive(s, "owner", n.Owner, n.Archive)
	n.Group = l.orArchive(s, "group", n.Group, n.Archive)
	n.SSH = l.ssh(s)
	text, err := decodeScalar(&Key{Type: Text}, x.node)
	if err == nil {
		// Where wpath is faulty "/" stands in for it, to find more faults.
		n.Address, err = node.ParseAddress(text.(string), cmp.Or(m.RPath, m.WPath, "/"))
	}
	if err != nil {
		l.bad(x, x.node, err.Error(), "")
	} else {
		n.Name = n.Address.String()
		l.checkNested(x, m.WPath, n)
	}
	l.checkNode(&n, s)
	return n
}

func (l *loader) orArchive(s *scope, name string, own, archive bool) bool {
	if s.find(name) == nil {
		return archive
	}
	return own
}

// ssh reads the maps named ssh of a node, its mirror and the top, key by key.
func (l *loader) ssh(s *scope) SSH {
	inner := &scope{}
	last := inner
	for ; s != nil; s = s.outer {
		x := s.own["ssh"]
		if x == nil {
			continue
		}
		last.outer = &scope{own: l.sshKeys(x)}
		last = last.outer
	}
	var ssh SSH
	l.fill(&ssh, inner, InSSH)
	if x := inner.find("port"); x != nil && ssh.Port > 65535 {
		l.bad(x, x.node, "must be a port from 1 to 65535", "")
	}
	ssh.Options = l.sshOptions(inner.find("options"), ssh.Options)
	return ssh
}

// sshOptions takes the -o away that a person who knows it from ssh's command
// line may have written: every option gets one.
func (l *loader) sshOptions(x *setting, given []string) []string {
	var options []string
	for i, option := range given {
		option = strings.TrimSpace(strings.TrimPrefix(option, "-o"))
		if strings.HasPrefix(option, "-") && !x.used {
			l.bad(x, x.node.Content[i], "must be as ssh -o takes it, such as Compression=yes", "")
		}
		if option != "" {
			options = append(options, option)
		}
	}
	if x != nil {
		x.used = true
	}
	return options
}

// sshKeys reads one map named ssh, once for all that inherit it.
func (l *loader) sshKeys(x *setting) settings {
	if !x.decoded {
		x.decoded = true
		if x.node.Kind == yaml.MappingNode {
			x.value = l.mapping(x.node, atSSH)
		} else {
			l.bad(x, x.node, "must be a map of keys such as port, identity_file", "")
		}
	}
	keys, _ := x.value.(settings)
	return keys
}

// checkNode checks what keys of a node mean together or to this machine.
func (l *loader) checkNode(n *Node, s *scope) {
	if x := s.find("timeout"); x.value != nil && n.Timeout < time.Second {
		l.bad(x, x.node, "must be 1s or more", "")
	}
	first, longest := s.find("retry_min"), s.find("retry_max")
	switch {
	case first.value == nil || longest.value == nil:
	case n.RetryMin == 0:
		l.bad(first, first.node, "must be more than 0", "")
	case n.RetryMin > n.RetryMax:
		l.bad(first, first.node, fmt.Sprintf("must not be longer than retry_max, which is %s", n.RetryMax), "")
	}
	l.checkArgs(s.find("rsync_args"))
	l.checkUser(s.find("user"), n.User)
	x := s.find("password_file")
	if x == nil || n.Name == "" {
		return
	}
	if !slices.Contains(l.passwords, x) {
		l.passwords = append(l.passwords, x)
	}
	if n.Address.Kind != node.Daemon {
		n.PasswordFile = "" // a default for the daemons among the nodes
		return
	}
	if !x.used && n.PasswordFile != "" {
		l.checkPassword(x, n.PasswordFile)
	}
	x.used = true
}

// checkArgs reports the elements that would break what the daemon asks of
// rsync.
func (l *loader) checkArgs(x *setting) {
	if x.used || x.value == nil {
		return
	}
	x.used = true
	for _, n := range x.node.Content {
		if err := node.CheckArgs([]string{target(n).Value}); err != nil {
			l.bad(x, n, err.Error(), "")
		}
	}
}

// ownUser reports whether name is the user that runs this.
func ownUser(name string) bool {
	u, err := user.Lookup(name)
	return err == nil && u.Uid == strconv.Itoa(os.Geteuid())
}

func (l *loader) checkUser(x *setting, name string) {
	if name == "" || x.used {
		return
	}
	x.used = true
	if os.Geteuid() != 0 && !ownUser(name) {
		l.bad(x, x.node, "only root can run rsync as another user", "")
		return
	}
	if _, err := user.Lookup(name); err != nil {
		l.bad(x, x.node, "there is no such user", "")
	}
}
