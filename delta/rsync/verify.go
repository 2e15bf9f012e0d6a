package rsync

import (
	"context"
	"errors"

	"inosyncd/delta"
	"inosyncd/delta/rsync/output"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/push"
)

// Difference is an entry that is not the same at the node as in the source.
type Difference struct {
	Path string // relative to the source; "" is the root
	Kind string // "missing", "extra", or what differs: "content, times"
}

// Verify compares the node with the source, files by their content, and reports
// what differs to found, from one goroutine. It changes nothing. What the node
// has besides is a difference only where it would be deleted, and the time of a
// directory is none. The error, with its cure in words, says why the comparison is
// not complete.
func (e *Engine) Verify(ctx context.Context, found func(Difference)) (cure string, err error) {
	if err := e.check(ctx); err != nil {
		return NeedsProgram(err), err
	}
	root, err := e.o.Source.Open()
	if err != nil {
		res := delta.Unplanned(err)
		return res.Cure, res.Err
	}
	defer root.Close()
	m := mode{whole: true, recurse: e.o.Recursive, delete: e.o.Delete, exact: true, dry: true}
	s, err := e.prepare(m)
	if err != nil {
		return "correct the password file", err
	}
	s.Dir = root
	p, err := process.Start(ctx, s, func(line string) bool {
		it, ok := output.ParseItem(line)
		if ok {
			if kind := it.Difference(); kind != "" {
				found(Difference{it.Name, kind})
			}
			return true
		}
		return output.IsStat(line)
	})
	if err != nil {
		v := unstarted(err)
		return v.cure, v.err
	}
	end := p.Finish(nil, e.idle(m))
	if v := judge(&end); v.outcome != push.Done {
		return v.cure, v.err
	}
	if end.Code == codeVanished {
		return "verify again", errors.New("the source changed while it was compared")
	}
	return "", nil
}
