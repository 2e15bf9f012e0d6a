package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"inosyncd/config"
	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/probe"
	"inosyncd/internal/logging"
	"inosyncd/internal/source"
)

const checkHelp = `check reads the configuration and reports every fault in it, with file, line and
column. It also reads the file with the token of the web page, if there is a page.

With --remote it then looks at every source and logs in to every node as a push
does. It checks login, path, permission to write and to remove, the version of
rsync, free space and inodes, the clock, and whether the limits of inotify suffice
for the trees. Each finding is one line: ok, note, warning or fault, with its
cure. The exit code is 1 if there is a fault.

To test that a node can be written to, it puts a file of 4 KiB into the node's
directory, under a random name that begins with .inosyncd-check-, and removes it at
once. It changes nothing else there, and writes nothing to a node that refuses
removals.`

// probesAtOnce bounds the nodes and sources that are looked at at a time. A
// probe sends next to nothing, so it is more than max_parallel.
const probesAtOnce = 32

// remote is one look at everything that a configuration names.
type remote struct {
	cfg     *config.Config
	log     *slog.Logger
	sockets string
	sysctls string // where the limits of inotify are read
	blocks  []*block
}

// checkRemote reads the configuration and looks at every source and node. It
// fails when there is a fault.
func (a *app) checkRemote(ctx context.Context) error {
	if err := a.check(ctx); err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	sockets, err := makeSocketDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(sockets)
	r := &remote{
		cfg: cfg, sockets: sockets, sysctls: "/proc/sys/fs/inotify",
		log: logging.New(a.stderr, logging.Options{Format: cfg.LogFormat, Level: a.level()}),
	}
	return r.run(ctx, a.stdout)
}

// run looks at everything at once and prints the blocks in the order of the
// configuration, each as soon as it is there and its turn has come.
func (r *remote) run(ctx context.Context, out io.Writer) error {
	r.plan(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, probesAtOnce)
	for _, b := range r.blocks {
		wg.Go(func() {
			defer close(b.done)
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() == nil {
				b.found = b.look(ctx)
			}
		})
	}
	var s summary
	for i, b := range r.blocks {
		select {
		case <-b.done:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			wg.Wait()
			leftovers(r.blocks[i:], out)
			return ctx.Err()
		}
		b.print(out)
		s.add(b)
	}
	fmt.Fprintln(out, s)
	if s.of[probe.Fault] > 0 {
		return errReported
	}
	return nil
}

// plan makes the blocks: of each mirror the source and then its nodes, and at
// last this machine.
func (r *remote) plan(ctx context.Context) {
	lim := newLimits(r.cfg)
	var trees []func() tree
	add := func(b block) {
		b.title, b.done = escaped(b.title), make(chan struct{})
		r.blocks = append(r.blocks, &b)
	}
	for _, m := range r.cfg.Mirrors {
		if !m.Enabled {
			continue
		}
		scan := sync.OnceValue(func() tree { return scan(ctx, m) })
		trees = append(trees, scan)
		add(block{title: "mirror " + m.Name + ": " + m.WPath, look: func(ctx context.Context) []probe.Finding {
			return append([]probe.Finding{probe.ProgramFinding(ctx, m.Rsync)}, scan().findings()...)
		}})
		for _, n := range m.Nodes {
			if !n.Enabled {
				continue
			}
			add(block{title: "node " + n.Name + " of " + m.Name, node: true, look: func(ctx context.Context) []probe.Finding {
				return r.probe(ctx, m, n, lim, scan)
			}})
		}
	}
	add(block{title: "this machine", look: func(context.Context) []probe.Finding {
		return inotifyLimits(r.sysctls).findings(trees)
	}})
}

// probe looks at a node with the options that its pushes have.
func (r *remote) probe(ctx context.Context, m config.Mirror, n config.Node, lim *limits, scan func() tree) []probe.Finding {
	fault := func(err error) []probe.Finding {
		return []probe.Finding{{Grade: probe.Fault, About: "engine", Text: escaped(err.Error())}}
	}
	o, err := engineOptions(m, n, source.New(m.WPath), lim, r.sockets)
	if err != nil {
		return fault(err)
	}
	o.Log = r.log.With("mirror", m.Name, "node", n.Name)
	at, err := node.New(o)
	if err != nil {
		return fault(err)
	}
	found := probe.Look(ctx, at, func() probe.Tree { return scan().Tree })
	if err := at.Close(); err != nil {
		o.Log.Debug("closing the engine failed", "err", err)
	}
	return found
}
