package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"inosyncd/config"
	"inosyncd/delta/rsync"
	"inosyncd/delta/rsync/node"
	"inosyncd/internal/change"
	"inosyncd/internal/logging"
	"inosyncd/internal/push"
	"inosyncd/internal/source"
)

// job is what is done once with one node.
type job struct {
	mirror  string
	node    string
	options node.Options
	engine  *rsync.Engine
	log     *slog.Logger
	out     io.Writer       // for what it finds
	done    func(well bool) // ends its bar
}

// sync makes every node, or those that are named, equal to its source once.
func (a *app) sync(ctx context.Context, names []string) error {
	return a.withJobs(ctx, names, true, func(ctx context.Context, j *job) bool { return j.sync(ctx) })
}

// withJobs has do done for every node, or those that are named, at most
// max_parallel at once. do reports whether all is well. sends says that rsync
// tells how far it is.
func (a *app) withJobs(ctx context.Context, names []string, sends bool, do func(context.Context, *job) bool) error {
	cfg, err := a.loadToRun(ctx)
	if err != nil {
		return err
	}
	out := newProgress(a.stdout)
	log := logging.New(out.writer(a.stderr), logging.Options{Format: cfg.LogFormat, Level: a.level(), Colour: terminalOf(a.stderr).colour})
	sockets, err := makeSocketDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(sockets)
	jobs, all, err := makeJobs(cfg, names, sockets, log)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := j.prepare(out, out.writer(a.stdout), sends); err != nil {
			return err
		}
	}
	if err := runJobs(ctx, jobs, cfg.MaxParallel, out, do); err != nil {
		return err
	}
	if !all {
		return errReported
	}
	return nil
}

// makeJobs prepares a job for each enabled node that is asked for. all says that
// the sources of all of them are there; one that is not has been reported.
func makeJobs(cfg *config.Config, names []string, sockets string, log *slog.Logger) (jobs []*job, all bool, err error) {
	chosen, err := chooseNodes(cfg, names)
	if err != nil {
		return nil, false, err
	}
	lim := newLimits(cfg)
	all = true
	for i, m := range cfg.Mirrors {
		root := source.New(m.WPath)
		for k, n := range m.Nodes {
			if !chosen[[2]int{i, k}] {
				continue
			}
			if !root.Adopted() {
				if err := root.Adopt(); err != nil {
					log.Error("mirror left out", "mirror", m.Name, "err", err)
					all = false
					break
				}
			}
			o, err := engineOptions(m, n, root, lim, sockets)
			if err != nil {
				return nil, false, fmt.Errorf("preparing the node %q: %w", n.Name, err)
			}
			o.Log = log.With("mirror", m.Name, "node", n.Name)
			jobs = append(jobs, &job{mirror: m.Name, node: n.Name, options: o, log: o.Log})
		}
	}
	return jobs, all, nil
}

// prepare gives a job its bar and its engine.
func (j *job) prepare(p *progress, out io.Writer, sends bool) error {
	j.out = out
	if sends {
		j.options.Progress, j.done = p.bar(j.mirror, j.node)
	} else {
		j.done = p.clock(j.mirror, j.node)
	}
	var err error
	if j.engine, err = rsync.New(j.options); err != nil {
		return fmt.Errorf("preparing the node %q: %w", j.node, err)
	}
	return nil
}

// chooseNodes tells which nodes, by mirror and node number, are asked for, as
// isCalled has it; all, when no name is given.
func chooseNodes(cfg *config.Config, names []string) (map[[2]int]bool, error) {
	chosen := map[[2]int]bool{}
	found := map[string]bool{}
	for i, m := range cfg.Mirrors {
		for k, n := range m.Nodes {
			if !m.Enabled || !n.Enabled {
				continue
			}
			if len(names) == 0 {
				chosen[[2]int{i, k}] = true
			}
			for _, name := range names {
				if name == m.Name || isCalled(m, n, name) {
					chosen[[2]int{i, k}], found[name] = true, true
				}
			}
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, usageError{fmt.Errorf("no enabled node is called %q: inosyncd status lists them", name)}
		}
	}
	return chosen, nil
}

// isCalled reports whether name means the node n of m: by its name in any
// spelling that the configuration takes, or by its host with or without a user.
func isCalled(m config.Mirror, n config.Node, name string) bool {
	host := n.Address.Host
	if host != "" && slices.Contains([]string{host, "[" + host + "]", n.Address.User + "@" + host}, name) {
		return true
	}
	a, err := node.ParseAddress(name, cmp.Or(m.RPath, m.WPath))
	return err == nil && a == n.Address
}

// runJobs does the jobs, at most parallel at once.
func runJobs(ctx context.Context, jobs []*job, parallel int, out *progress, do func(context.Context, *job) bool) error {
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		failed bool
		slots  = make(chan struct{}, parallel)
	)
	for _, j := range jobs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			well := do(ctx, j)
			j.done(well)
			if err := j.engine.Close(); err != nil {
				j.log.Debug("closing the engine failed", "err", err)
			}
			if !well {
				mu.Lock()
				failed = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	out.close()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed {
		return errReported
	}
	return nil
}

// sync does one full sync and reports it.
func (j *job) sync(ctx context.Context) bool {
	res := j.engine.Push(ctx, change.Full(time.Now()))
	if res.Outcome == push.Done {
		j.log.Info("pushed", "paths", res.Paths, "bytes", res.Bytes, "deleted", res.Deleted, "took", res.Took)
		return true
	}
	if ctx.Err() == nil {
		j.log.Error("push failed", "err", res.Err, "cure", res.Cure)
	}
	return false
}
