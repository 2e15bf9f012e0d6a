package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"inosyncd/config"
	"inosyncd/delta/rsync"
	"inosyncd/internal/change"
	"inosyncd/internal/logging"
	"inosyncd/internal/push"
	"inosyncd/internal/source"
)

// job is the full sync of one node.
type job struct {
	mirror string
	node   string
	engine *rsync.Engine
}

// sync makes every node, or those that are named, equal to its source once.
func (a *app) sync(ctx context.Context, names []string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if a.verbose {
		level = slog.LevelDebug
	}
	out := newProgress(a.stdout)
	log := logging.New(out.writer(a.stderr), logging.Options{Format: cfg.LogFormat, Level: level})
	sockets, err := makeSocketDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(sockets)
	jobs, err := makeJobs(cfg, names, sockets, log, out)
	if err != nil {
		return err
	}
	return runJobs(ctx, jobs, cfg.MaxParallel, log, out)
}

// makeJobs prepares a job for each enabled node that is asked for.
func makeJobs(cfg *config.Config, names []string, sockets string, log *slog.Logger, out *progress) ([]*job, error) {
	chosen, err := chooseNodes(cfg, names)
	if err != nil {
		return nil, err
	}
	lim := newLimits(cfg)
	var jobs []*job
	for i, m := range cfg.Mirrors {
		root := source.New(m.WPath)
		for k, n := range m.Nodes {
			if !chosen[[2]int{i, k}] {
				continue
			}
			if !root.Adopted() {
				if err := root.Adopt(); err != nil {
					return nil, fmt.Errorf("mirror %q: %w", m.Name, err)
				}
			}
			o, err := engineOptions(m, n, root, lim, sockets)
			if err != nil {
				return nil, fmt.Errorf("preparing the node %q: %w", n.Name, err)
			}
			o.Log = log.With("mirror", m.Name, "node", n.Name)
			o.Progress = out.bar(m.Name, n.Name)
			engine, err := rsync.New(o)
			if err != nil {
				return nil, fmt.Errorf("preparing the node %q: %w", n.Name, err)
			}
			jobs = append(jobs, &job{m.Name, n.Name, engine})
		}
	}
	return jobs, nil
}

// chooseNodes tells which nodes, by mirror and node number, are asked for: by
// their name, their host or their mirror's name; all, when no name is given.
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
				if name == n.Name || name == n.Address.Host || name == m.Name {
					chosen[[2]int{i, k}], found[name] = true, true
				}
			}
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, usageError{fmt.Errorf("no enabled node is called %q", name)}
		}
	}
	return chosen, nil
}

// runJobs runs the jobs, at most parallel at once, and reports each.
func runJobs(ctx context.Context, jobs []*job, parallel int, log *slog.Logger, out *progress) error {
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
			if !j.run(ctx, log) {
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

func (j *job) run(ctx context.Context, log *slog.Logger) bool {
	log = log.With("mirror", j.mirror, "node", j.node)
	defer func() {
		if err := j.engine.Close(); err != nil {
			log.Debug("closing the engine failed", "err", err)
		}
	}()
	set := change.Full(time.Now())
	res := j.engine.Push(ctx, set)
	if res.Outcome == push.Done {
		log.Info("pushed", "paths", res.Paths, "bytes", res.Bytes, "deleted", res.Deleted, "took", res.Took)
		return true
	}
	if ctx.Err() == nil {
		log.Error("push failed", "err", res.Err, "cure", res.Cure)
	}
	return false
}
