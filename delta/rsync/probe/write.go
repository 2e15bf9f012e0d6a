package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"inosyncd/delta/rsync/output"
	"inosyncd/internal/printable"
	"inosyncd/internal/push"
)

// AboutWriting is what findings are about that concern the file of a probe: a
// fault may say that it has stayed at the node.
const AboutWriting = "writing"

// write shows that the directory can be written to and removed from, and reads
// the node's clock by the time that the file has there.
func (p *probe) write(ctx context.Context) error {
	if p.keeps {
		p.add(Note, AboutWriting, "not tried: the node refuses removals, so what was written would stay", "")
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	sent, err := p.send(ctx)
	if err != nil {
		return err
	}
	var skew Finding
	if sent.verdict.Outcome == push.Done && ctx.Err() == nil {
		skew = p.clock(ctx, sent)
	}
	// It is taken back in any case: also what failed may have left it there.
	gone, err := p.takeBack(ctx)
	if err != nil {
		return err
	}
	p.tell(ctx, sent, gone)
	if skew.Text != "" {
		p.findings = append(p.findings, skew)
	}
	return nil
}

// takeBack removes what was sent. When it is to stop, it has removeIn for that.
func (p *probe) takeBack(ctx context.Context) (ended, error) {
	gone, err := p.remove(ctx)
	if err != nil || ctx.Err() == nil || gone.verdict.Outcome == push.Done {
		return gone, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeIn)
	defer cancel()
	return p.remove(ctx)
}

// tell notes how writing and removing went.
func (p *probe) tell(ctx context.Context, sent, gone ended) {
	well := sent.verdict.Outcome == push.Done
	removed := gone.verdict.Outcome == push.Done || slices.ContainsFunc(gone.items, output.Item.Deleted)
	if !well {
		p.fail(ctx, AboutWriting, &sent)
	}
	switch {
	case removed && well:
		p.add(Fine, AboutWriting, "a file was written and removed", "")
	case !removed && (well || ctx.Err() != nil):
		p.add(Fault, AboutWriting, printable.Escape(p.at.Path+p.name)+" stays at the node: "+printable.Escape(gone.verdict.Err.Error()),
			"remove it there, and let the login remove what it writes")
	}
}

// farApart is the difference of clocks that is worth a note.
const farApart = 2 * time.Second

// clock compares this machine's clock with the node's, by the time that the
// receiver has given the file. Nothing depends on it.
func (p *probe) clock(ctx context.Context, sent ended) Finding {
	r, err := p.run(ctx, p.arguments(p.quiet(), []string{"--list-only"}, p.at.Operand()+p.name), nil, "TZ=UTC")
	if err != nil || r.verdict.Outcome != push.Done {
		return Finding{} // writing was what mattered
	}
	for _, note := range r.Notes {
		if at, ok := listed(note, p.name); ok {
			return skew(at, sent.began, sent.began.Add(sent.took))
		}
	}
	return Finding{}
}

// listed reads a line of --list-only: mode, size, date, time, name.
func listed(line, name string) (time.Time, bool) {
	f := strings.Fields(line)
	if len(f) != 5 || f[4] != name {
		return time.Time{}, false
	}
	at, err := time.Parse("2006/01/02 15:04:05", f[2]+" "+f[3])
	return at, err == nil
}

// skew is the finding about a file that was written between two times here and
// has at for its time, in whole seconds, there.
func skew(at, from, to time.Time) Finding {
	apart := time.Duration(0)
	switch {
	case at.Before(from.Truncate(time.Second)):
		apart = at.Sub(from.Truncate(time.Second))
	case at.After(to):
		apart = at.Sub(to)
	}
	if apart.Abs() <= farApart {
		return Finding{Fine, "clock", "agrees within " + farApart.String(), ""}
	}
	side := "ahead"
	if apart < 0 {
		side = "behind"
	}
	return Finding{
		Note, "clock", fmt.Sprintf("the node's is %s %s; inosyncd does not depend on it", apart.Abs().Round(time.Second), side),
		"set the time at the node, or here",
	}
}
