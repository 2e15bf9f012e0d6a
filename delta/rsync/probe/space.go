package probe

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/internal/printable"
)

// room is what a file system has left for the account that writes to it.
type room struct {
	free, size     uint64 // bytes
	freeNodes, all uint64 // inodes; all is 0 where they are not limited
}

// scarce is the share of the space or the inodes, in percent, below which a
// node is said to be filling up.
const scarce = 5

// space says how much room the node has.
func (p *probe) space(ctx context.Context) {
	var (
		r   room
		why string
	)
	switch kind := p.node.Address.Kind; {
	case p.at.Path == "":
		why = "the path is not there"
	case kind == node.Local:
		r, why = p.localRoom()
	case kind == node.SSH:
		r, why = p.remoteRoom(ctx)
	default:
		why = "an rsync daemon does not tell it"
	}
	switch {
	case ctx.Err() != nil:
	case why != "":
		p.add(Note, "space", "unknown: "+why, "")
	default:
		p.findings = append(p.findings, p.judgeRoom(r))
	}
}

func (p *probe) judgeRoom(r room) Finding {
	f := Finding{Fine, "space", fmt.Sprintf("free: %s of %s", Size(r.free), Size(r.size)), ""}
	if r.all > 0 {
		f.Text += fmt.Sprintf("; inodes: %d of %d", r.freeNodes, r.all)
	}
	warn := func(text, cure string) {
		f.Grade, f.Text, f.Cure = Warning, f.Text+": "+text, cure
	}
	short := r.free < r.size/100*scarce
	few := r.freeNodes < r.all/100*scarce
	switch {
	case r.free == 0 || r.all > 0 && r.freeNodes == 0:
		warn("full", "make room on the node")
		f.Grade = Fault
	case short || few:
		warn(fmt.Sprintf("less than %d %%", scarce), "make room on the node")
	case p.fresh && p.tree != nil:
		t := p.tree()
		if t.Bytes > r.free || r.all > 0 && t.Entries > r.freeNodes {
			warn(fmt.Sprintf("the source has %s in %d entries", Size(t.Bytes), t.Entries), "make room on the node")
		}
	}
	return f
}

func (p *probe) localRoom() (room, string) {
	var fs unix.Statfs_t
	if err := unix.Statfs(p.at.Path, &fs); err != nil {
		return room{}, printable.Escape(err.Error())
	}
	free := fs.Bavail // what is kept for root is root's
	if p.node.UID() == 0 {
		free = fs.Bfree
	}
	unit := uint64(fs.Bsize) //nolint:gosec // a size
	var here unix.Statfs_t
	if err := unix.Statfs(p.node.Source.Path(), &here); err == nil && here.Fsid == fs.Fsid && fs.Fsid != (unix.Fsid{}) {
		p.add(Note, "file system", "is the source's own", "if another disk is meant, see whether it is mounted")
	}
	return room{free * unit, fs.Blocks * unit, fs.Ffree, fs.Files}, ""
}

// plainPath are the paths that may be put into a command line for the login
// shell at the other end: none knows a meaning of such a character within a word.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9/._+-]+$`)

// remoteRoom asks df(1) at the node, in the form that POSIX lays down (-P).
func (p *probe) remoteRoom(ctx context.Context) (room, string) {
	if !plainPath.MatchString(p.at.Path) {
		return room{}, "a shell at the node might read the path as more than a name"
	}
	var r room
	blocks, why := p.df(ctx, "-kP")
	if why != "" {
		return room{}, why
	}
	r.free, r.size = blocks[2]*1024, blocks[0]*1024
	if inodes, why := p.df(ctx, "-iP"); why == "" {
		r.freeNodes, r.all = inodes[2], inodes[0]
	}
	return r, ""
}

// figures are total, used, available and the share used, in a line of df.
var figures = regexp.MustCompile(`\s(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s`)

func (p *probe) df(ctx context.Context, how string) (n [3]uint64, why string) {
	out, why := p.shell(ctx, "df "+how+" -- "+p.at.Path)
	for _, line := range out {
		m := figures.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for i := range n {
			n[i], _ = strconv.ParseUint(m[i+1], 10, 64) // below 0 is none
		}
		return n, ""
	}
	if why == "" {
		why = onlyRsync
	}
	return n, why
}

// Size is a number of bytes as a person reads it.
func Size(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, prefix := float64(n), ""
	for _, prefix = range []string{"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"} {
		f /= unit
		if f < unit {
			break
		}
	}
	return fmt.Sprintf("%.1f %sB", f, prefix)
}
