package config

import (
	"slices"
	"strings"
)

// Scope says where a key may stand. Scopes are bits and add up.
type Scope uint8

// The scopes. A key of a mirror may also stand at the top and a key of a node
// also at its mirror and at the top, as the default for all below.
const (
	Top       Scope = 1 << iota // for the daemon
	PerMirror                   // for a mirror
	PerNode                     // for a node
	InNode                      // for a node, and only there
	InSSH                       // within ssh
)

// Type is the type of a value as the manual calls it.
type Type string

// The types.
const (
	Text     Type = "string"
	Path     Type = "absolute path"
	Bool     Type = "boolean"
	Count    Type = "integer"
	Duration Type = "duration" // number of seconds, or with a unit
	Rate     Type = "rate"     // number of KiB/s, or with a unit
	Pace     Type = "pace"     // number per second, or 30/m
	Cron     Type = "schedule"
	HostPort Type = "host:port"
	List     Type = "list of strings"
	Patterns Type = "list of patterns"
	Events   Type = "list of events"
	Nodes    Type = "list of nodes"
	Mirrors  Type = "list of mirrors"
	SSHBlock Type = "map"
)

// scalar reports whether a value is one word that a variable or a flag can
// hold.
func (t Type) scalar() bool {
	return t != List && !t.built()
}

// built reports whether more is made of a value than a field.
func (t Type) built() bool {
	return slices.Contains([]Type{Patterns, Nodes, Mirrors, SSHBlock}, t)
}

// Key describes one key of the configuration.
type Key struct {
	Name    string
	Default string // YAML; "" is none, or what Derived says
	Derived string // what is taken in place of a constant default, in words
	Scope   Scope
	Type    Type
	Min     int      // least value of a Count
	Choices []string // all that a Text may be
	Meaning string   // one line
}

// Keys returns the table of all keys, in the order of the manual.
func Keys() []Key { return slices.Clone(table) }

var table = []Key{
	{Name: "mirrors", Derived: "one mirror, made of the keys at the top", Scope: Top, Type: Mirrors, Meaning: "several trees; keys at the top are defaults for all of them"},
	{Name: "wpath", Derived: "required", Scope: PerMirror, Type: Path, Meaning: "directory whose contents are mirrored"},
	{Name: "rpath", Derived: "wpath", Scope: PerMirror, Type: Path, Meaning: "path on a node that names only a host"},
	{Name: "rnodes", Derived: "required", Scope: PerMirror, Type: Nodes, Meaning: "the nodes: strings, or maps with target"},
	{Name: "target", Derived: "required", Scope: InNode, Type: Text, Meaning: "address of a node in its long form"},
	{Name: "name", Derived: "last element of wpath", Scope: PerMirror, Type: Text, Meaning: "shown in logs, status and metrics"},
	{Name: "description", Default: `""`, Scope: PerMirror, Type: Text, Meaning: "free text"},
	{Name: "enabled", Default: "true", Scope: PerMirror | PerNode, Type: Bool, Meaning: "false: configured and shown, not run"},
	{Name: "recursive", Default: "true", Scope: PerMirror, Type: Bool, Meaning: "false: only the directory itself"},
	{Name: "rexcludes", Default: "[]", Scope: PerMirror, Type: Patterns, Meaning: "rsync exclude patterns; the first match wins"},
	{Name: "rexcludes_from", Derived: "none", Scope: PerMirror, Type: Path, Meaning: "file of exclude patterns, one per line"},
	{Name: "emask", Default: "[IN_CLOSE_WRITE, IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO, IN_ATTRIB]", Scope: PerMirror, Type: Events, Meaning: "only these inotify events start a push"},
	{Name: "edelay", Default: "200ms", Scope: PerMirror, Type: Duration, Meaning: "time from the first pending event to the push; 0: at once"},
	{Name: "eopen", Default: "30s", Scope: PerMirror, Type: Duration, Meaning: "longest wait for the writer of a new file to close it"},
	{Name: "watcher", Default: "auto", Scope: PerMirror, Type: Text, Choices: []string{"auto", "inotify", "fsnotify", "notify"}, Meaning: "how the tree is watched; auto: inotify on Linux"},
	{Name: "schedule", Default: `"@daily"`, Scope: PerMirror, Type: Cron, Meaning: `full sync, as a cron line or @every 6h; "": never`},
	{Name: "rsync", Default: "/usr/bin/rsync", Scope: PerMirror, Type: Path, Meaning: "the rsync program"},
	{Name: "push_rate", Default: "1/s", Scope: PerNode, Type: Pace, Meaning: "pushes started per second; 30/m: per minute"},
	{Name: "push_burst", Default: "5", Scope: PerNode, Type: Count, Min: 1, Meaning: "pushes that may start in a row before push_rate applies"},
	{Name: "rspeed", Default: "0", Scope: PerNode, Type: Rate, Meaning: "rate limit in KiB/s, or 500k, 10M, 80Mbit; 0: no limit"},
	{Name: "delete", Default: "true", Scope: PerNode, Type: Bool, Meaning: "remove from the node what the source no longer has"},
	{Name: "max_delete", Default: "0", Scope: PerNode, Type: Count, Meaning: "more removals than this in one push are held until approved; 0: no limit"},
	{Name: "archive", Default: "true", Scope: PerNode, Type: Bool, Meaning: "rsync -a; false: -rlt plus the keys below"},
	{Name: "times", Default: "true", Scope: PerNode, Type: Bool, Meaning: "keep modification times"},
	{Name: "perms", Derived: "archive", Scope: PerNode, Type: Bool, Meaning: "keep permissions"},
	{Name: "owner", Derived: "archive", Scope: PerNode, Type: Bool, Meaning: "keep owners"},
	{Name: "group", Derived: "archive", Scope: PerNode, Type: Bool, Meaning: "keep groups"},
	{Name: "xattrs", Default: "false", Scope: PerNode, Type: Bool, Meaning: "keep extended attributes"},
	{Name: "acls", Default: "false", Scope: PerNode, Type: Bool, Meaning: "keep access control lists"},
	{Name: "hard_links", Default: "false", Scope: PerNode, Type: Bool, Meaning: "keep hard links"},
	{Name: "sparse", Default: "false", Scope: PerNode, Type: Bool, Meaning: "write runs of zeros as holes"},
	{Name: "compress", Default: "false", Scope: PerNode, Type: Bool, Meaning: "compress in transit"},
	{Name: "checksum", Default: "false", Scope: PerNode, Type: Bool, Meaning: "full syncs compare by content, not by size and time"},
	{Name: "delay_updates", Default: "false", Scope: PerNode, Type: Bool, Meaning: "put a push's files in place together, at its end"},
	{Name: "partial", Default: "true", Scope: PerNode, Type: Bool, Meaning: "keep partial transfers, out of readers' sight, and resume them"},
	{Name: "timeout", Default: "60s", Scope: PerNode, Type: Duration, Meaning: "a push without data for this long is ended and retried"},
	{Name: "rsync_args", Default: "[]", Scope: PerNode, Type: List, Meaning: "further rsync options, one element each"},
	{Name: "password_file", Derived: "none", Scope: PerNode, Type: Path, Meaning: "rsync daemon password; mode 0600 or 0400"},
	{Name: "user", Derived: "the daemon's", Scope: PerNode, Type: Text, Meaning: "run rsync and ssh as this user"},
	{Name: "ssh", Default: "{}", Scope: PerNode, Type: SSHBlock, Meaning: "options for ssh"},
	{Name: "port", Derived: "ssh's", Scope: InSSH, Type: Count, Min: 1, Meaning: "port of the ssh server"},
	{Name: "user", Derived: "ssh's", Scope: InSSH, Type: Text, Meaning: "login, where the address names none"},
	{Name: "identity_file", Derived: "ssh's", Scope: InSSH, Type: Path, Meaning: "private key"},
	{Name: "known_hosts", Derived: "ssh's", Scope: InSSH, Type: Path, Meaning: "file of known host keys"},
	{Name: "options", Default: "[]", Scope: InSSH, Type: List, Meaning: "further options, as for ssh -o"},
	{Name: "command", Derived: "ssh", Scope: InSSH, Type: Text, Meaning: "program in place of ssh"},
	{Name: "retry_min", Default: "1s", Scope: PerNode, Type: Duration, Meaning: "first delay before a failed push is tried again"},
	{Name: "retry_max", Default: "5m", Scope: PerNode, Type: Duration, Meaning: "longest delay between retries, which never end"},
	{Name: "max_parallel", Default: "8", Scope: Top, Type: Count, Min: 1, Meaning: "pushes running at once, all mirrors and nodes together"},
	{Name: "max_armed", Default: "16", Scope: Top, Type: Count, Meaning: "rsync processes kept waiting for the next change; 0: none"},
	{Name: "rspeed_total", Default: "0", Scope: Top, Type: Rate, Meaning: "rate limit for all pushes together; 0: no limit"},
	{Name: "reload", Default: "signal", Scope: Top, Type: Text, Choices: []string{"signal", "auto"}, Meaning: "signal: on HUP; auto: also when a file of the configuration changes"},
	{Name: "pid_file", Derived: "none", Scope: Top, Type: Path, Meaning: "file that holds the process id"},
	{Name: "log_file", Derived: "standard error; with -d, syslog", Scope: Top, Type: Path, Meaning: "log file when daemonized, reopened on HUP"},
	{Name: "log_format", Default: "text", Scope: Top, Type: Text, Choices: []string{"text", "json"}, Meaning: "format of the log"},
	{Name: "log_level", Default: "info", Scope: Top, Type: Text, Choices: []string{"debug", "info", "warn", "error"}, Meaning: "lowest level that is logged"},
	{Name: "control", Derived: "/run/inosyncd.sock; not root: in $XDG_RUNTIME_DIR", Scope: Top, Type: Path, Meaning: "unix socket that the commands use"},
	{Name: "listen", Derived: "none", Scope: Top, Type: HostPort, Meaning: "web page, /metrics, /healthz, /readyz, /status.json; for its token see FILES in inosyncd(8)"},
}

// The places that keys stand at, as the scopes allowed there.
const (
	atTop    = Top | PerMirror | PerNode
	atMirror = PerMirror | PerNode
	atNode   = PerNode | InNode
	atSSH    = InSSH
)

// find returns the key of that name with one of the scopes, nil if there is
// none.
func find(name string, scopes Scope) *Key {
	i := slices.IndexFunc(table, func(k Key) bool { return k.Name == name && k.Scope&scopes != 0 })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// names returns the names of the keys with one of the scopes.
func names(scopes Scope) []string {
	var all []string
	for _, k := range table {
		if k.Scope&scopes != 0 {
			all = append(all, k.Name)
		}
	}
	return all
}

// nearest returns the candidate that s is most likely meant to be, "" where
// none is near: more than a third of the letters would have to change.
func nearest(s string, candidates []string) string {
	best, least := "", 1<<30
	for _, c := range candidates {
		d := distance(strings.ToLower(s), strings.ToLower(c))
		if d < least && 3*d <= max(len(s), len(c)) {
			best, least = c, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out, replaced or swapped
// with their neighbours to make b of a: the optimal string alignment distance,
// in bytes.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	d := make([][]int, len(a)+1) // d[i][j] is that of a[:i] and b[:j]
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			d[i][j] = min(replaced, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
