package probe

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/output"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/filter"
	"inosyncd/internal/push"
)

// Exit codes that a probe acts on: EXIT VALUES of rsync(1).
const (
	codeNoPath      = 3
	codeUnsupported = 4
	codeFileIO      = 11
	codeTimeout     = 30
)

const (
	// grace is added to the node's timeout before a run is ended that is
	// not idle and still does not come to an end: rsync's own timeout is to
	// come first.
	grace = 5 * time.Second

	// maxItems bounds what is kept of a run.
	maxItems = 256

	// removeIn is how long a removal may take once the program is to stop. A node
	// that is slow has time for a login; who cannot wait sends a second signal.
	removeIn = 30 * time.Second
)

// ended is how a run of a probe ended.
type ended struct {
	process.Exit
	verdict push.Result // what a push comes to that ends so
	items   []output.Item
	began   time.Time
	took    time.Duration
}

// run runs rsync once with args, in the directory that is sent from, with list
// on its standard input, for no longer than the node's timeout.
func (p *probe) run(ctx context.Context, args []string, list []byte, env ...string) (ended, error) {
	dir, err := os.Open(p.dir)
	if err != nil {
		return ended{}, err
	}
	defer dir.Close()
	if limit := p.node.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit+grace, process.ErrIdle)
		defer cancel()
	}
	s, err := p.node.Spec(args)
	if err != nil {
		return ended{verdict: push.Result{Outcome: push.Hold, Err: err, Cure: "correct the password file"}}, nil
	}
	s.Dir = dir
	s.Env = append(s.Env, env...)
	r := ended{began: time.Now()}
	proc, err := process.Start(ctx, s, func(line string) bool {
		it, ok := output.ParseItem(line)
		if ok && len(r.items) < maxItems { // a node can make up as many as it likes
			r.items = append(r.items, it)
		}
		return ok || output.IsStat(line)
	})
	if err != nil {
		return ended{verdict: rsync.Unstarted(err)}, nil
	}
	_, idle := p.node.Silence(p.watched())
	r.Exit = proc.Finish(list, idle)
	r.took = time.Since(r.began)
	r.Notes = slices.DeleteFunc(r.Notes, p.negotiated)
	r.verdict = rsync.Judge(&r.Exit)
	return r, nil
}

// What rsync tells of its other end (--debug=PROTO,NSTR; compat.c of 3.5.0): of
// a local node, the other end tells the same.
var (
	proto  = regexp.MustCompile(`^\((Client|Server)\) Protocol versions: remote=(\d+), `)
	choice = regexp.MustCompile(`^(?:Client|Server) (?:negotiated )?(checksum|compress): (\w+)`)
)

// negotiated takes in a line that tells what the two ends have agreed on.
func (p *probe) negotiated(note string) bool {
	if m := choice.FindStringSubmatch(note); m != nil {
		p.choice[m[1]] = m[2]
		return true
	}
	m := proto.FindStringSubmatch(note)
	if m != nil && m[1] == "Client" {
		p.protocol, _ = strconv.Atoi(m[2])
	}
	return m != nil
}

// watched reports whether a run goes without --timeout, as most pushes to a node of
// that kind do.
func (p *probe) watched() bool { return p.node.Address.Kind == node.Daemon }

// nameList is what --files-from takes, with --from0.
func nameList(names ...string) []byte {
	var b []byte
	for _, name := range names {
		b = append(b, "./"+name+"\x00"...)
	}
	return b
}

// arguments of a run between here and to. What precedes them decides for the
// same option, which rsync takes in order.
func (p *probe) arguments(o node.Options, extra []string, operands ...string) []string {
	timeout, _ := o.Silence(p.watched())
	return slices.Concat(p.node.Arguments(o), extra, timeout, []string{"--"}, operands)
}

// quiet are the node's options without a report of progress.
func (p *probe) quiet() node.Options {
	o := p.node.Options
	o.Progress = nil
	return o
}

// setTime gives the directory that is sent from the time of the source, where
// that can be had: to compare the node's directory with it, and to put it back.
func (p *probe) setTime() {
	st, err := os.Stat(p.node.Source.Path())
	if err == nil {
		_ = os.Chtimes(p.dir, st.ModTime(), st.ModTime())
	}
}

// send puts the file into the directory. It goes as an operand and not in a
// list, with which rsync would set what that directory has of modes and times.
func (p *probe) send(ctx context.Context) (ended, error) {
	o := p.quiet()
	o.Partial, o.DelayUpdates = false, false // what comes to nothing leaves nothing
	extra := []string{"--dirs", "--no-times"}
	return p.run(ctx, p.arguments(o, extra, "./"+p.name, p.at.Operand()), nil)
}

// remove removes the file, and nothing but the file, by the way that pushes
// remove, and has the directory's time put back if it was the source's.
func (p *probe) remove(ctx context.Context) (ended, error) {
	if err := os.Remove(p.file()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ended{}, err
	}
	p.setTime()
	o := p.quiet()
	o.Archive, o.Perms, o.Owner, o.Group, o.ACLs, o.Xattrs = false, false, false, false, false, false
	o.Times = p.same
	to := p.at.Operand()
	if !p.poor {
		extra := []string{"--dirs", "--delete-missing-args", "--from0", "--files-from=-"}
		return p.run(ctx, p.arguments(o, extra, ".", to), nameList(p.name))
	}
	extra := []string{
		"--recursive", "--delete-delay", "--existing", "--ignore-existing",
		"--include=/" + filter.Escape(p.name), "--exclude=*",
	}
	return p.run(ctx, p.arguments(o, extra, ".", to), nil)
}
