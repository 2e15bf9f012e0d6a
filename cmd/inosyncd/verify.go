package main

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"inosyncd/delta/rsync"
	"inosyncd/internal/control"
)

// verify compares every node, or those that are named, with its source by
// content and lists what differs. It changes nothing. The daemon, if one runs, is
// told which nodes are equal: its status has when they last were.
func (a *app) verify(ctx context.Context, names []string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	daemon := control.NewClient(socketPaths(cfg.Control, a.configFile)...)
	var mu sync.Mutex // orders the lines of several nodes
	return a.withJobs(ctx, names, false, func(ctx context.Context, j *job) bool {
		n := 0
		cure, err := j.engine.Verify(ctx, func(d rsync.Difference) {
			n++
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(j.out, "%s: %s: %s\n", escaped(j.node), d.Kind, escaped(cmp.Or(d.Path, ".")))
		})
		if err != nil {
			if ctx.Err() == nil {
				j.log.Error("verification failed", "err", err, "cure", cure)
			}
			return false
		}
		if n == 0 {
			if err := daemon.Verified(ctx, control.Node{Mirror: j.mirror, Node: j.node}); err != nil {
				j.log.Debug("verification not noted by a daemon", "err", err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(j.out, "%s: entries that differ: %d\n", escaped(j.node), n)
		return n == 0
	})
}
