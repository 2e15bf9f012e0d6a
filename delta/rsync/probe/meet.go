package probe

import (
	"context"
	"slices"
	"strings"

	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
	"inosyncd/internal/push"
)

// greetDir is a directory on this machine that a dry run names.
const greetDir = "inosyncd"

// meet connects, logs in and negotiates, and finds the directory to write to.
// met is false when no push would get so far.
func (p *probe) meet(ctx context.Context) (met bool, err error) {
	g, err := p.greet(ctx, p.at)
	if err != nil {
		return false, err
	}
	if g.verdict.Outcome != push.Done {
		p.fail(ctx, aspect(&g.Exit), &g.ended)
		return false, nil
	}
	p.findings = append(p.findings, p.way())
	switch {
	case p.keeps && p.node.Delete:
		v := rsync.Judge(&process.Exit{Code: codeUnsupported})
		p.add(Fault, "delete", "the node refuses removals", v.Cure)
	case p.poor && !p.keeps:
		p.add(Note, "delete", "the node's rsync has no working --delete-missing-args: removals compare the directories they are in", "upgrade rsync at the node")
	}
	p.same = g.same && p.node.Times
	if !g.made {
		p.add(Fine, "path", "is there", "")
		return true, nil
	}
	return true, p.above(ctx)
}

// above goes on in the directory above a path that is not there yet.
func (p *probe) above(ctx context.Context) error {
	at, ok := above(p.at)
	p.fresh, p.same, p.at = true, false, node.Address{}
	if !ok {
		p.add(Note, "path", "is not there yet, the first push makes it", "")
		return nil
	}
	g, err := p.greet(ctx, at)
	switch {
	case err != nil:
		return err
	case g.verdict.Outcome != push.Done:
		p.add(Note, "path", "is not there yet, and the directory above cannot be looked at: "+printable.Escape(g.verdict.Err.Error()), "make the node's path")
	case g.made:
		v := rsync.Judge(&process.Exit{Code: codeNoPath})
		p.add(Fault, "path", "is not there, nor is the directory above it", v.Cure)
	default:
		p.at = at
		p.add(Note, "path", "is not there yet, the first push makes it", "")
	}
	return nil
}

// above is the directory that holds the node's own. There is none above a
// module and none above the root.
func above(a node.Address) (node.Address, bool) {
	path := strings.TrimSuffix(a.Path, "/")
	i := strings.LastIndexByte(path, '/')
	switch {
	case path == "" || path[i+1:] == "." || path[i+1:] == ".." || i < 0 && a.Kind == node.Daemon:
		return a, false
	case i < 0:
		a.Path = "./" // of the login's home
	default:
		a.Path = path[:i+1]
	}
	return a, true
}

// way says how the node was reached.
func (p *probe) way() Finding {
	f := Finding{About: "login"}
	switch {
	case p.node.Address.Kind == node.SSH:
		f.Text = "ssh lets in, rsync answers"
	case p.node.Address.Kind == node.Local:
		f.Text = "rsync runs"
	case p.node.PasswordFile != "":
		f.Text = "the rsync daemon lets in"
	default:
		f.Grade, f.Text = Note, "the rsync daemon answers and asks for no password"
		f.Cure = "set auth users and secrets file in the node's rsyncd.conf"
	}
	return f
}

// aspect is what a push that ended so at once has failed at.
func aspect(e *process.Exit) string {
	switch e.Code {
	case codeNoPath, codeFileIO:
		return "path"
	case 1, 2, codeUnsupported, 6, 126, 127:
		return "rsync"
	}
	// The code of a login without rsync is 12 where rsync ends before ssh does.
	if rsync.Judge(e).Cure == rsync.NoProgram || says(e, "invalid rsync-command") || says(e, "unknown option") {
		return "rsync"
	}
	return "login"
}

// greeting is what a dry run has shown.
type greeting struct {
	ended
	made bool // the directory is not there and would be made
	same bool // its time is the source's
}

// greet does a dry run to a directory with all that a push asks for. If it
// cannot remove as it should, the probe knows and another is done without.
func (p *probe) greet(ctx context.Context, to node.Address) (greeting, error) {
	for {
		p.setTime()
		// A node that deletes nothing must let the probe's own file be removed
		// all the same, by one way or the other.
		extra := []string{"--dirs", "--dry-run", "--debug=PROTO,NSTR", "--from0", "--files-from=-"}
		deletes := !p.keeps && (p.node.Delete || p.poor)
		if deletes {
			extra = append(extra, "--delete-delay")
		}
		missing := !p.keeps && !p.poor
		if missing {
			extra = append(extra, "--delete-missing-args")
		}
		paths := []string{greetDir}
		if missing {
			// The receivers that have that option broken fail at an entry
			// below another.
			paths = append(paths, greetDir+"/gone")
		}
		r, err := p.run(ctx, p.arguments(p.quiet(), extra, ".", to.Operand()), nameList(paths...))
		g := greeting{ended: r, same: true}
		switch {
		case err != nil:
			return g, err
		// What a daemon says when it refuses an option can be lost with the
		// connection (3.5.0), its exit code is not.
		case missing && (rsync.Poor(&r.Exit) || r.Code == codeUnsupported):
			p.poor = true
			continue
		case deletes && r.Code == codeUnsupported:
			p.keeps = true
			continue
		}
		for _, it := range r.items {
			if it.Name == "" && it.What[4] != '.' && it.What[4] != ' ' {
				g.same = false
			}
			// "created directory" is not said by 3.2.3.
			g.made = g.made || it.Name == "" && it.Kind() == push.Created
		}
		return g, nil
	}
}

// says reports whether rsync printed a line with text.
func says(e *process.Exit, text string) bool {
	return slices.ContainsFunc(e.Notes, func(note string) bool { return strings.Contains(note, text) })
}
