package probe

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
)

// Versions that matter for what is said of an rsync. Faults by which one end
// can harm the other were closed up to the first, more of them in the second
// (NEWS of rsync). The last is the oldest at a node that compares times to the
// nanosecond.
var (
	safe       = [3]int{3, 4, 3}
	safest     = [3]int{3, 5, 0}
	safeSpeaks = 32 // the protocol since 3.4.0, and of older ones that were patched: Debian's 3.2.7
	enough     = [3]int{3, 1, 3}
)

// program says which rsync the node has.
func (p *probe) program(ctx context.Context) {
	var version, why string
	switch p.node.Address.Kind {
	case node.Local:
		version, _ = process.Version(ctx, p.node.Program)
	case node.SSH:
		version, why = p.remoteVersion(ctx)
	case node.Daemon:
		why = "an rsync daemon does not tell it"
	}
	if ctx.Err() == nil {
		p.findings = append(p.findings, versionFinding(version, p.protocol, why, "at the node"))
	}
	p.older()
	if p.asOther(ctx) {
		p.add(Warning, "owner", "the login there is not root: owners are not copied", "log in as root, or set owner: false")
	}
}

// older notes what the two rsyncs fall back to because one of them knows no
// better: xxhash and zstd are of 3.2.0.
func (p *probe) older() {
	asked := slices.ContainsFunc(p.node.Args, func(arg string) bool { return strings.Contains(arg, "-choice=") })
	for _, c := range []struct {
		what string
		slow []string
	}{{"checksum", []string{"md4", "md5", "sha1"}}, {"compress", []string{"zlib", "zlibx"}}} {
		if got := p.choice[c.what]; !asked && slices.Contains(c.slow, got) {
			p.add(Note, c.what, "falls back to "+got+", which is slower", "upgrade rsync at the node to 3.2.0 or newer")
		}
	}
}

// ProgramFinding says what there is to say of the rsync on this machine.
func ProgramFinding(ctx context.Context, program string) Finding {
	version, err := process.Check(ctx, program)
	if err != nil {
		return Finding{Fault, "rsync", printable.Escape(err.Error()), rsync.NeedsProgram(err)}
	}
	return versionFinding(version, 0, "", "here")
}

// versionFinding judges an rsync by its version or, where that is "" for the
// reason why, by the protocol that it speaks, 0 being unknown.
func versionFinding(version string, protocol int, why, where string) Finding {
	const known = "versions before 3.4.3 have known security faults"
	upgrade := "upgrade rsync " + where + ", unless its distribution has patched it"
	f := func(g Grade, text, cure string) Finding {
		var about []string
		for _, s := range []string{printable.Clip(printable.Escape(version)), text} {
			if s != "" {
				about = append(about, s)
			}
		}
		if protocol > 0 {
			about = append(about, fmt.Sprintf("protocol %d", protocol))
		}
		return Finding{g, "rsync", strings.Join(about, "; "), cure}
	}
	switch {
	case version == "" && protocol == 0:
		return f(Note, "version unknown: "+why, "")
	case version == "" && protocol < safeSpeaks:
		return f(Warning, "older than 3.4.0, and "+known, upgrade)
	case version == "":
		return f(Note, "3.4.0 or newer, or patched (exact version unknown: "+why+")", "see that it is 3.4.3 or newer: rsync --version "+where)
	case process.OlderThan(version, enough):
		return f(Warning, "changes can be missed, and "+known, "upgrade rsync "+where+" to 3.1.3 or newer")
	case process.OlderThan(version, safe):
		return f(Warning, known, upgrade)
	case process.OlderThan(version, safest):
		return f(Note, "3.5.0 closes further security faults", upgrade)
	}
	return f(Fine, "", "")
}

// remoteVersion asks the rsync at the other end of ssh. Where the login runs
// nothing but what it was set up for, there is no version and a reason.
func (p *probe) remoteVersion(ctx context.Context) (version, why string) {
	program := "rsync"
	for _, arg := range p.node.Args {
		if path, ok := strings.CutPrefix(arg, "--rsync-path="); ok {
			program = path
		}
	}
	if !harmlessWords.MatchString(program) {
		return "", "rsync-path is more than a plain path"
	}
	out, why := p.shell(ctx, program+" --version")
	for _, line := range out {
		if version, ok := process.ParseVersion(line); ok {
			return version, ""
		}
	}
	if why == "" {
		why = onlyRsync
	}
	return "", why
}

// harmlessWords are what no shell takes for more than words.
var harmlessWords = regexp.MustCompile(`^[A-Za-z0-9/._+-]+( [A-Za-z0-9/._+-]+)*$`)

var number = regexp.MustCompile(`^[0-9]+$`)

// asOther reports whether owners are to be copied and the node is written to by
// an account that is known not to be root's: rsync leaves them out in silence.
func (p *probe) asOther(ctx context.Context) bool {
	o := &p.node.Options
	switch {
	case !o.Owner || slices.ContainsFunc(o.Args, func(arg string) bool { return strings.Contains(arg, "super") }):
		return false
	case o.Address.Kind == node.Local:
		return p.node.UID() != 0
	case o.Address.Kind != node.SSH || slices.ContainsFunc(o.Args, func(arg string) bool { return strings.HasPrefix(arg, "--rsync-path=") }):
		return false
	}
	out, why := p.shell(ctx, "id -u")
	return why == "" && len(out) == 1 && number.MatchString(out[0]) && out[0] != "0"
}
