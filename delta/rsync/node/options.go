package node

import (
	"log/slog"
	"time"

	"inosyncd/internal/filter"
	"inosyncd/internal/source"
)

// Options say what is mirrored to a node, where it is, and how. Every field is used
// as it stands: defaults, and what one key implies for another, are the
// configuration's affair.
type Options struct {
	Program string        // rsync; "" is the one in PATH
	Source  *source.Root  // adopted before the first push
	Rules   *filter.Rules // what is neither sent nor deleted
	Address Address       // the node

	Recursive bool // false: only the entries of the source directory itself
	Delete    bool // remove from the node what the source no longer has
	MaxDelete int  // more removals in one push need Approve; 0 is no limit

	Archive   bool // device files and special files (-D)
	Times     bool // -t
	Perms     bool // -p
	Owner     bool // -o
	Group     bool // -g
	Xattrs    bool // -X
	ACLs      bool // -A
	HardLinks bool // -H; a push that names a file with several names compares the whole tree
	Sparse    bool // -S
	Compress  bool // -z

	Checksum     bool // compare by content when comparing whole directories
	DelayUpdates bool // put the files of a push in place together, at its end
	Partial      bool // keep what was sent of a file when a push breaks off

	Timeout   time.Duration // no data for so long ends a push; 0 is no limit
	Bandwidth int64         // bytes per second; 0 is no limit
	Args      []string      // further rsync options that CheckArgs accepts

	PasswordFile string     // for rsync daemons
	User         string     // run rsync and ssh as this user; only root can
	SSH          SSHOptions // for nodes reached by ssh

	// SocketDir is where the shared ssh connection has its socket: a
	// directory of the daemon's that no one else can write to, and that User
	// can pass. "" shares no connection.
	SocketDir string

	// Armed bounds the rsyncs that wait for the next push: a channel of that
	// capacity, shared by all nodes. nil arms none.
	Armed chan struct{}

	Log *slog.Logger // nil discards

	// Progress is called while a push runs, from one goroutine, with the
	// share of the bytes done in percent and their number. nil asks for none.
	Progress func(percent int, bytes int64)
}

// SSHOptions are for the ssh that reaches a node.
type SSHOptions struct {
	Port         int      // 0 is ssh's default; the address's comes first
	User         string   // "" is ssh's default; the address's comes first
	IdentityFile string   // private key, -i
	KnownHosts   string   // file of host keys, UserKnownHostsFile
	Options      []string // -o; they come before inosyncd's own, so they win
	Command      string   // program in place of ssh
}
