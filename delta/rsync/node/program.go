package node

import (
	"context"
	"strings"

	"inosyncd/delta/rsync/process"
)

// quoting is the first rsync that is known to keep a backtick from the shell at
// the other end: 3.2.7 does not.
var quoting = [3]int{3, 4, 1}

// Check returns nil if the rsync on this machine is there and can be used for the
// node. The error is a [process.TooOld] if a newer one can. It blocks for as long
// as that takes to tell its version, 10 s at most.
func (n *Node) Check(ctx context.Context) error {
	version, err := process.Check(ctx, n.Program)
	if err != nil {
		return err
	}
	if old := unquoted(version, n.Address, n.Args); old != nil {
		return old
	}
	return nil
}

// unquoted says that an rsync of version would let the shell at a see more than
// a name in what it is given of a node's own: nil if it would not.
func unquoted(version string, a Address, args []string) *process.TooOld {
	if a.Kind != SSH || !strings.Contains(a.Path+strings.Join(args, ""), "`") {
		return nil
	}
	return process.Outdated(version, quoting, "keep the backtick of this node out of its shell")
}
