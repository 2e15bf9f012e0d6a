// Package probe looks at a node as a push would reach it, and says in findings what
// is there: whether it lets in, can be written to and removed from, has room, and
// which rsync it has.
//
// It starts rsyncs with the options of the node, and takes what they come to for
// what a push would: the same words, the same cures. It changes nothing but a file
// of its own, which it removes again.
//
// # Blocking and shutdown
//
// Look blocks until the node was looked at, each run for no longer than the node's
// timeout and some seconds. When its context ends it stops, but for removing its
// file, for which it has 30 seconds. Nothing of it runs afterwards; the node's shared
// ssh connection is for the caller to close.
package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
)

// Grade says how much a finding matters.
type Grade int

// The grades.
const (
	Fine    Grade = iota // as it should be
	Note                 // worth knowing
	Warning              // works, and should be otherwise
	Fault                // pushes fail, or would soon
)

func (g Grade) String() string {
	return [...]string{"ok", "note", "warning", "fault"}[g]
}

// Finding is one thing that a look at a node or at this machine has shown.
type Finding struct {
	Grade Grade
	About string // what was looked at, in a word
	Text  string // escaped, one line
	Cure  string // what a person can do; may be empty
}

// Tree is the size of what is mirrored.
type Tree struct {
	Bytes   uint64 // of regular files
	Entries uint64
}

// prefix begins the name that a probe writes at a node. What follows is
// random, so that it is never the name of anything else. It is not among the
// excluded names: should it ever stay, the next full sync removes it.
const prefix = ".inosyncd-check-"

// probe is one look at a node.
type probe struct {
	node *node.Node
	tree func() Tree
	dir  string // on this machine, what is sent from
	name string // what is written at the node

	at    node.Address // the directory it is written to; without a path: there is none
	fresh bool         // the node's path is not there yet, at is the directory above
	same  bool         // the time of that directory is the source's
	poor  bool         // the node's rsync has no working --delete-missing-args
	keeps bool         // the node refuses every removal

	protocol int               // the node's; 0 is unknown
	choice   map[string]string // of checksum and compress

	findings []Finding
}

// Look reaches the node as a push would, with the same login, options and
// limits of time, and says what it has found, in an order that is always the
// same. It ends with the first fault that a push could not get past.
//
// That the node can be written to is shown by doing it: a file of 4 KiB with a
// random name is put into the node's directory and removed again, also after an
// error and when ctx ends; the time of the directory is put back. Where removals
// are refused, nothing is written. A path that is not there is not made: the
// file goes to the directory above.
//
// tree is called where the node has no copy yet and may block.
func Look(ctx context.Context, n *node.Node, tree func() Tree) []Finding {
	p := &probe{node: n, tree: tree, at: n.Address, choice: map[string]string{}}
	p.name = prefix + strings.ToLower(rand.Text())
	if err := p.look(ctx); err != nil && ctx.Err() == nil {
		p.add(Fault, "this machine", printable.Clip(printable.Escape(err.Error())), "make room for temporary files here, in TMPDIR")
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
	return p.findings
}

// look returns an error only of what has nothing to do with the node.
func (p *probe) look(ctx context.Context) error {
	if err := p.node.Check(ctx); err != nil {
		if ctx.Err() == nil {
			p.add(Fault, "rsync here", printable.Escape(err.Error()), rsync.NeedsProgram(err))
		}
		return nil
	}
	if err := p.prepare(); err != nil {
		return err
	}
	if met, err := p.meet(ctx); !met || err != nil {
		return err
	}
	if p.at.Path != "" {
		if err := p.write(ctx); err != nil {
			return err
		}
	}
	if ctx.Err() == nil {
		p.program(ctx)
		p.space(ctx)
	}
	return nil
}

// prepare makes the directory to send from, and in it the file to write.
func (p *probe) prepare() error {
	var err error
	if p.dir, err = os.MkdirTemp("", "inosyncd-check-"); err != nil {
		return fmt.Errorf("making a directory to check from: %w", err)
	}
	file := p.file()
	// Not zeros, which some file systems do not store.
	if err := os.WriteFile(file, []byte(strings.Repeat("inosyncd", 512)), 0o600); err != nil {
		return fmt.Errorf("making a file to check with: %w", err)
	}
	if p.node.Xattrs {
		// An error means that there are none here, so none will be sent.
		_ = unix.Setxattr(file, "user.inosyncd", []byte("check"), 0)
	}
	if err := os.Mkdir(filepath.Join(p.dir, greetDir), 0o700); err != nil {
		return fmt.Errorf("making a directory to check from: %w", err)
	}
	for _, path := range []string{file, filepath.Join(p.dir, greetDir), p.dir} {
		if err := p.node.Own(path); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) file() string { return filepath.Join(p.dir, p.name) }

func (p *probe) add(g Grade, about, text, cure string) {
	p.findings = append(p.findings, Finding{g, about, text, cure})
}

// fail notes a run that came to something other than Done.
func (p *probe) fail(ctx context.Context, about string, r *ended) {
	if ctx.Err() != nil {
		return // the one who asked has gone
	}
	v := &r.verdict
	text := printable.Escape(v.Err.Error())
	if errors.Is(v.Err, process.ErrIdle) || r.Code == codeTimeout {
		text = "the node is silent: " + text
	}
	p.add(Fault, about, text, cmp.Or(v.Cure, "read what rsync says; inosyncd sync -v shows a push in full"))
}
