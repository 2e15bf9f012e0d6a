package rsync

import (
	"context"
	"errors"
	"strings"

	"inosyncd/delta"
	"inosyncd/internal/push"
)

// Difference is an entry that is not the same at the node as in the source.
type Difference struct {
	Path string // relative to the source; "" is the root
	Kind string // "missing", "extra", or what differs: "content, times"
}

// Verify compares the node with the source, files by their content, and reports
// what differs to found, from one goroutine. It changes nothing. What the node
// has besides is a difference only where it would be deleted. The error, with
// its cure in words, says why the comparison is not complete.
func (e *Engine) Verify(ctx context.Context, found func(Difference)) (cure string, err error) {
	if err := e.check(ctx); err != nil {
		return "", err
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
	s.dir = root
	p, err := start(ctx, s, func(line string) bool {
		it, ok := parseItem(line)
		if ok {
			if kind := it.difference(); kind != "" {
				found(Difference{it.name, kind})
			}
			return true
		}
		_, sent := parseSent(line)
		return sent || isStat(line)
	})
	if err != nil {
		v := unstarted(err)
		return v.cure, v.err
	}
	end := p.finish(nil, e.idle(m))
	if v := judge(&end); v.outcome != push.Done {
		return v.cure, v.err
	}
	if end.code == codeVanished {
		return "verify again", errors.New("the source changed while it was compared")
	}
	return "", nil
}

// letters are what the letters of an item stand for, by their places: what rsync
// would make equal (--itemize-changes in rsync(1)).
var letters = [whatLen]string{
	2: "content", 3: "size", 4: "times", 5: "permissions",
	6: "owner", 7: "group", 9: "acls", 10: "xattrs",
}

// difference says in words what an item of a dry run found, "" for nothing.
func (i item) difference() string {
	switch {
	case i.deleted():
		return "extra"
	case strings.HasSuffix(i.what, "+++++++++"):
		return "missing"
	}
	var words []string
	for at, word := range letters {
		if c := i.what[at]; word != "" && c != '.' && c != ' ' {
			words = append(words, word)
		}
	}
	if len(words) == 0 && i.what[0] == 'c' {
		return "content" // where a link leads
	}
	return strings.Join(words, ", ")
}
