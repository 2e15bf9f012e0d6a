// Package config turns the configuration file into a checked, typed [Config].
//
// One table, [Keys], has every key with its default, scope, type and meaning. It
// decides which keys are unknown, what is suggested instead, and the defaults. A
// value is looked up at the node, at its mirror, at the top, and at last in the
// table. For the top, viper merges flags, INOSYNCD_* variables, file and defaults.
//
// A file with faults yields no Config but all its [Faults], each with its position
// in the file. What is legal but looks wrong is a warning.
//
// # Ordering
//
// Mirrors, nodes and rules keep the order of the file. Faults and warnings are
// sorted by position.
//
// # Blocking and shutdown
//
// [Load] reads files and looks at paths of this machine only; it reaches no node,
// starts nothing and leaves nothing open. It may run concurrently. A Config is not
// changed after Load has returned it and may be read by any goroutine.
package config

import (
	"reflect"
	"slices"
	"time"

	"inosyncd/delta/rsync/node"
	"inosyncd/internal/filter"
)

// Config is a checked configuration.
type Config struct {
	File     string   `key:"-"` // where it was read
	Mirrors  []Mirror `key:"-"` // one or more, no two of one name
	Warnings []Fault  `key:"-"` // legal but suspicious
	Programs []Fault  `key:"-"` // where each rsync is named, without a message

	MaxParallel int    `key:"max_parallel"` // pushes at once, 1 or more
	MaxArmed    int    `key:"max_armed"`    // waiting rsync processes, 0: none
	RspeedTotal int64  `key:"rspeed_total"` // bytes/s, 0: no limit
	Reload      string `key:"reload"`       // signal, auto
	PidFile     string `key:"pid_file"`     // "": none
	LogFile     string `key:"log_file"`     // "": standard error
	LogFormat   string `key:"log_format"`   // text, json
	LogLevel    string `key:"log_level"`    // debug, info, warn, error
	Control     string `key:"control"`      // socket; "": none
	Listen      string `key:"listen"`       // host:port; "": none
}

// Mirror is one watched directory and the nodes it is mirrored to.
type Mirror struct {
	Name        string        `key:"name"`
	Description string        `key:"description"`
	Enabled     bool          `key:"enabled"`
	WPath       string        `key:"wpath"`          // absolute, ends in a slash
	RPath       string        `key:"rpath"`          // "" is as WPath; the nodes have it applied
	Recursive   bool          `key:"recursive"`      // false: only WPath itself
	Rules       *filter.Rules `key:"-"`              // rexcludes, rexcludes_from, then the engine's own
	RulesFile   string        `key:"rexcludes_from"` // "": none
	Mask        uint32        `key:"emask"`          // inotify(7) bits
	Edelay      time.Duration `key:"edelay"`         // 0: at once
	Eopen       time.Duration `key:"eopen"`          // 0: a new file is not waited for
	Watcher     string        `key:"watcher"`        // auto, inotify, fsnotify, notify
	Schedule    string        `key:"schedule"`       // for cron.ParseStandard; "": never
	Rsync       string        `key:"rsync"`          // absolute path of the program
	Nodes       []Node        `key:"-"`              // one or more, no two of one name
}

// Node is a place that a mirror's copy is kept at.
type Node struct {
	Address      node.Address  `key:"-"`
	Name         string        `key:"-"` // Address as text: for logs, status and commands
	Enabled      bool          `key:"enabled"`
	PushRate     float64       `key:"push_rate"` // starts per second, above 0
	PushBurst    int           `key:"push_burst"`
	Rspeed       int64         `key:"rspeed"` // bytes/s, 0: no limit
	Delete       bool          `key:"delete"`
	MaxDelete    int           `key:"max_delete"` // 0: no limit
	Archive      bool          `key:"archive"`
	Times        bool          `key:"times"`
	Perms        bool          `key:"perms"`
	Owner        bool          `key:"owner"`
	Group        bool          `key:"group"`
	Xattrs       bool          `key:"xattrs"`
	ACLs         bool          `key:"acls"`
	HardLinks    bool          `key:"hard_links"`
	Sparse       bool          `key:"sparse"`
	Compress     bool          `key:"compress"`
	Checksum     bool          `key:"checksum"`
	DelayUpdates bool          `key:"delay_updates"`
	Partial      bool          `key:"partial"`
	Timeout      time.Duration `key:"timeout"` // 1 s or more
	RsyncArgs    []string      `key:"rsync_args"`
	PasswordFile string        `key:"password_file"` // "" unless the node is an rsync daemon
	User         string        `key:"user"`          // "": the daemon's
	SSH          SSH           `key:"-"`
	RetryMin     time.Duration `key:"retry_min"` // above 0
	RetryMax     time.Duration `key:"retry_max"` // RetryMin or more
}

// SSH says how ssh is called. Empty fields leave the choice to ssh.
type SSH struct {
	Port         int      `key:"port"` // 0: ssh's
	User         string   `key:"user"` // the address's comes first
	IdentityFile string   `key:"identity_file"`
	KnownHosts   string   `key:"known_hosts"`
	Options      []string `key:"options"` // as for ssh -o
	Command      string   `key:"command"` // program in place of ssh
}

// SameSource reports whether m and o watch the same in the same way, so that
// what watches for one need not be touched for the other. Where in the file
// they say it does not count.
func (m Mirror) SameSource(o Mirror) bool {
	if !slices.Equal(m.Rules.Args(), o.Rules.Args()) {
		return false
	}
	for _, x := range []*Mirror{&m, &o} {
		x.Name, x.Description, x.Enabled, x.Schedule = "", "", false, ""
		x.RPath, x.Rsync, x.Nodes = "", "", nil // of the nodes
		x.Rules, x.RulesFile = nil, ""          // compared above
	}
	return reflect.DeepEqual(m, o)
}

// Equal reports whether n and o say the same.
func (n Node) Equal(o Node) bool { return reflect.DeepEqual(n, o) }

// SameCopy reports whether n and o differ at most in how fast, how often and
// how long it is tried to make the copy, and in how much is removed without
// asking: a copy made by one is as good as made by the other.
func (n Node) SameCopy(o Node) bool {
	for _, x := range []*Node{&n, &o} {
		x.PushRate, x.PushBurst, x.Rspeed, x.MaxDelete = 0, 0, 0, 0
		x.Timeout, x.RetryMin, x.RetryMax = 0, 0, 0
	}
	return n.Equal(o)
}

// Files are the files that the configuration was made from, itself first:
// those whose change asks for a reload.
func (c *Config) Files() []string {
	files := []string{c.File}
	for _, m := range c.Mirrors {
		files = append(files, m.RulesFile)
		for _, n := range m.Nodes {
			files = append(files, n.PasswordFile)
		}
	}
	slices.Sort(files[1:])
	files = slices.Compact(files)
	return slices.DeleteFunc(files, func(f string) bool { return f == "" })
}
