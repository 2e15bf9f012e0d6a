package importer

import (
	"path"
	"strings"
)

// lsyncdSync is one sync{...} while it is read.
type lsyncdSync struct {
	*lsyncd
	how                     string // rsync, rsyncssh, direct
	source                  string
	target, host, targetdir string
	edelay                  string
	rsync                   string
	rules                   block // rexcludes, rexcludes_from
	node                    node
	opts                    options
}

func (s *lsyncdSync) field(f field) {
	text := map[string]*string{
		"source": &s.source, "target": &s.target, "host": &s.host, "targetdir": &s.targetdir,
	}
	switch into := text[f.key]; {
	case into != nil && f.kind == str && f.text != "":
		*into = f.text
	case f.key == "delay" && f.kind == number:
		s.edelay = f.text
	case f.key == "exclude":
		s.exclude(f)
	case f.key == "excludeFrom" && f.kind == str && path.IsAbs(f.text):
		s.rules.set("rexcludes_from", f.text)
	case f.key == "delete":
		s.delete(f)
	case f.key == "rsync" && f.kind == table:
		s.rsyncTable(f.value)
	case f.key == "rsyncOpts" || f.key == "rsyncOps": // the form of lsyncd 2.0
		if list, ok := f.texts(); ok {
			s.opts.words(list)
			return
		}
		s.note(f.line, "sync.%s", f.key)
	case f.key == "ssh" && f.kind == table:
		s.sshTable(f.value)
	default:
		s.note(f.line, "sync.%s", f.key)
	}
}

func (s *lsyncdSync) exclude(f field) {
	list, ok := f.texts()
	if !ok {
		s.note(f.line, "sync.exclude: it is no list of strings")
		return
	}
	s.rules.add("rexcludes", list...)
}

// delete reads when lsyncd removes: always, never, or at some times only,
// which inosyncd does not tell apart.
func (s *lsyncdSync) delete(f field) {
	if f.kind != boolean {
		s.note(f.line, "sync.delete = %q: nothing is removed now; set delete: true for always", f.text)
	}
	if f.kind != boolean || !f.truth() {
		s.node.keys.set("delete", false)
	}
}

// rsyncTable reads sync.rsync, whose keys are rsync's long options.
func (s *lsyncdSync) rsyncTable(v value) {
	for _, f := range v.fields {
		s.opts.line = f.line
		option := "--" + strings.ReplaceAll(f.key, "_", "-")
		switch {
		case f.key == "_extra":
			if list, ok := f.texts(); ok {
				s.opts.words(list)
				continue
			}
			s.note(f.line, "sync.rsync._extra: it is no list of strings")
		case f.key == "binary" && f.kind == str && path.IsAbs(f.text):
			s.rsync = f.text
		case f.kind == boolean && !f.truth() && switches[option[2:]] != "":
			s.opts.word("--no-" + option[2:])
		case f.kind == boolean && !f.truth(): // an option that is not given
		case f.kind == boolean:
			s.opts.word(option)
		case f.kind == str || f.kind == number:
			s.opts.word(option + "=" + f.text)
		default:
			s.note(f.line, "sync.rsync.%s", f.key)
		}
	}
	for _, item := range v.items {
		s.note(item.line, "sync.rsync: a value without a name")
	}
}

// sshTable reads sync.ssh of default.rsyncssh.
func (s *lsyncdSync) sshTable(v value) {
	for _, f := range v.fields {
		s.opts.line = f.line
		switch {
		case f.key == "port":
			s.opts.port(f.text)
		case f.key == "identityFile" && f.kind == str:
			s.opts.shellOption('i', f.text)
		case f.key == "binary" && f.kind == str:
			s.opts.shell([]string{f.text})
		case f.key == "options" && f.kind == table:
			for _, option := range f.fields {
				s.opts.sshOption(option.key + "=" + option.text)
			}
		case f.key == "_extra":
			list, _ := f.texts()
			s.opts.shell(append([]string{"ssh"}, list...))
		default:
			s.note(f.line, "sync.ssh.%s", f.key)
		}
	}
}

// finish makes a node of what was read.
func (s *lsyncdSync) finish(line int) {
	if s.how == "rsyncssh" && s.host != "" && s.targetdir != "" {
		s.target = s.host + ":" + s.targetdir
	}
	switch {
	case s.how != "rsync" && s.how != "rsyncssh" && s.how != "direct":
		s.note(line, "the whole sync: only default.rsync, default.rsyncssh and default.direct are known")
		return
	case !path.IsAbs(s.source):
		s.note(line, "the whole sync: it has no source that is an absolute path")
		return
	case s.target == "":
		s.note(line, "the whole sync: it has no target")
		return
	case strings.HasPrefix(s.target, ".") || !strings.Contains(s.target, ":") && !path.IsAbs(s.target):
		s.note(line, "the whole sync: its target %q is no absolute path", s.target)
		return
	}
	s.source = strings.TrimRight(s.source, "/") + "/"
	s.node.target = s.target
	var keys block
	keys.take(&s.rules)
	if s.edelay != "" {
		keys.set("edelay", word(s.edelay))
	}
	if s.rsync != "" {
		keys.set("rsync", s.rsync)
	}
	s.add(s.source, keys, s.node)
}
