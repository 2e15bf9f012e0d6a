package manual

import (
	"strings"

	"inosyncd/internal/change"
)

const configText = `The configuration of inosyncd(8) is one YAML file, by default
/etc/inosync.yaml. For a single tree all keys are at the top level. Several trees
are a list mirrors; keys at the top level are then defaults for all of them. A key
of a node is written in the long form of that node (a map with target), or at its
mirror or at the top as a default.

An unknown key, a wrong type or a contradiction is a fault. All faults are
reported together, with file, line and column, and the daemon does not start. Test
a file with inosyncd check.`

var nodeForms = Section{"NODES", []Item{
	{"HOST", "rsync over ssh, to rpath"},
	{"[USER@]HOST:PATH", "rsync over ssh, to a path of its own"},
	{"[USER@]HOST::MODULE[/PATH]", "a module of an rsync daemon"},
	{"rsync://[USER@]HOST[:PORT]/MODULE[/PATH]", "the same, with a port"},
	{"/PATH", "a directory of this machine"},
	{"target: ADDRESS", "in a map: any of the above, with keys for this node beside it. Write IPv6 addresses in brackets, and the whole address in quotes."},
}}

func valueForms() Section {
	return Section{"VALUES", []Item{
		{"duration", "a number of seconds, or with a unit: 200ms, 1.5s, 2m"},
		{"rate", "a number of KiB/s, or with a unit: 500k, 10M (bytes, powers of 1024), 80Mbit (bits, powers of 1000), in either case"},
		{"pace", "a number per second, or 1/s, 30/m, 10/h"},
		{"schedule", `a cron line of five fields, @hourly, @daily, @weekly, or @every 6h`},
		{"list of patterns", `rsync exclude patterns in order, each PATTERN, "- PATTERN" or "+ PATTERN"; the first match wins. A pattern that begins with * must be quoted.`},
		{"list of events", "names of inotify(7): " + strings.Join(change.EventNames(), ", ")},
	}}
}

const configExamples = `  # One tree, two nodes over ssh.
  wpath: /var/www/
  rnodes:
    - www1.example.com
    - deploy@www2.example.com:/srv/www/
  rexcludes:
    - "*.swp"
    - /cache/

  # Two trees; keys at the top are defaults for both.
  edelay: 1
  max_delete: 1000
  mirrors:
    - name: www
      wpath: /var/www/
      rnodes:
        - target: rsync://push@www1.example.com/www/
          password_file: /etc/inosync/www1.password
          rspeed: 10M
    - name: pub
      wpath: /srv/pub/
      rnodes: [pub.example.com]`

// Config returns inosync.yaml(5): the man page of the configuration.
func Config(keys []Key) string {
	p := newPage("inosync.yaml", "5", "File Formats")
	p.heading("NAME")
	p.line(`inosync.yaml \- configuration of inosyncd`)
	p.heading("DESCRIPTION")
	p.text(configText)
	p.sections([]Section{nodeForms})
	p.heading("KEYS")
	for _, k := range keys {
		p.line(".TP")
		p.line(`\fB%s\fR (%s)`, escape(k.path()), escape(kind(k)))
		p.line("%s.", escape(k.Meaning))
		p.line("%s. %s.", escape(k.byDefault()), escape(k.Place.words()))
	}
	p.sections([]Section{valueForms(), {"ENVIRONMENT", []Item{
		{"INOSYNCD_KEY", "overrides a single-valued key at the top: INOSYNCD_LOG_LEVEL=debug"},
	}}})
	p.heading("EXAMPLES")
	p.text(configExamples)
	p.heading("SEE ALSO")
	p.line(`\fBinosyncd\fR(8), \fBrsync\fR(1) (FILTER RULES), \fBinotify\fR(7)`)
	return p.String()
}

func kind(k Key) string {
	if len(k.Choices) > 0 {
		return strings.Join(k.Choices, ", ")
	}
	return k.Type
}

func (k Key) byDefault() string {
	switch {
	case k.Derived == "required":
		return "Required"
	case k.Default != "":
		return "Default: " + k.Default
	default:
		return "Default: " + k.Derived
	}
}

// words says where a key may stand.
func (p Place) words() string {
	switch {
	case p&InSSH != 0:
		return "Within ssh"
	case p&InNode != 0:
		return "Of a node only"
	case p&AtMirror != 0 && p&AtNode != 0:
		return "Of a mirror and of a node"
	case p&AtMirror != 0:
		return "Of a mirror"
	case p&AtNode != 0:
		return "Of a node"
	default:
		return "At the top only"
	}
}
