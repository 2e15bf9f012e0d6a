package node

import (
	"strconv"
	"time"

	"inosyncd/delta/rsync/output"
)

// Arguments returns the arguments that every run has with the options o, which are
// those of the node but for what is asked for of attributes and of output.
func (n *Node) Arguments(o Options) []string {
	args := []string{"--links"}
	add := func(on bool, flag string) {
		if on {
			args = append(args, flag)
		}
	}
	add(o.Times, "--times")
	add(o.Perms, "--perms")
	add(o.Owner, "--owner")
	add(o.Group, "--group")
	add(o.Archive, "-D")
	add(o.HardLinks, "--hard-links")
	add(o.ACLs, "--acls")
	add(o.Xattrs, "--xattrs")
	add(o.Sparse, "--sparse")
	add(o.Compress, "--compress")
	add(o.DelayUpdates, "--delay-updates")
	add(o.Partial, "--partial-dir="+output.PartialDir)
	// Equal means equal to the nanosecond: by whole seconds, rsync's way, two
	// versions of the same size and second are one.
	add(true, "--modify-window=-1")
	add(o.Bandwidth > 0, "--bwlimit="+strconv.FormatInt((o.Bandwidth+1023)/1024, 10))
	switch o.Address.Kind {
	case SSH:
		args = append(args, "--rsh="+n.ssh.rsh())
	case Daemon:
		// Saves two delayed acknowledgements of 40 ms each.
		args = append(args, "--sockopts=TCP_NODELAY", "--contimeout=10", "--no-motd")
	}
	args = append(args, output.Flags(o.Address.Kind != Daemon, o.Progress != nil)...)
	return append(args, o.Args...)
}

// patience is added to --timeout before an idle rsync is ended from outside:
// rsync's own timeout is to come first.
const patience = 30 * time.Second

// Silence returns what keeps a run from waiting for its node for ever: the
// argument for that, unless rsync is watched instead, and how long it may do
// nothing before it is ended from outside. 0 is no limit.
func (o *Options) Silence(watched bool) (args []string, idle time.Duration) {
	switch {
	case o.Timeout <= 0:
		return nil, 0
	case watched:
		return nil, o.Timeout
	}
	return []string{"--timeout=" + strconv.Itoa(seconds(o.Timeout))}, o.Timeout + patience
}

// seconds rounds up: rsync takes whole seconds, and 0 for no limit.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
