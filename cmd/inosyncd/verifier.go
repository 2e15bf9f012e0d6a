package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"inosyncd/delta/rsync"
	"inosyncd/internal/change"
	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

const (
	// maxVerifications are at work at once. Each reads a whole tree at both
	// ends for as long as that takes, so they do not take the slots of pushes,
	// which would wait for hours, and more would be in each other's way.
	maxVerifications = 2

	maxFirst    = 10   // differences that are shown of a verification
	maxContents = 1000 // paths that are remembered for resync
)

var (
	errVerifying = errors.New("a verification of it is running already")
	errStopped   = errors.New("the daemon is stopping")
)

// verifier compares nodes with their sources for those who ask the daemon for
// it, one comparison of a node at a time, and keeps the last result of each.
// The zero value is ready; its methods may be called from any goroutine.
type verifier struct {
	done sync.WaitGroup // a goroutine for each that runs

	mu     sync.Mutex
	nodes  map[control.Node]*verification // guarded by mu; those of the configuration
	slots  chan struct{}                  // guarded by mu; made with the first
	closed bool                           // guarded by mu
}

// verification is the last one of a node. Its fields are guarded by the
// verifier's mu.
type verification struct {
	last     status.Verification
	cancel   context.CancelFunc
	contents []string // paths whose content differs
}

// subject is a node that is to be verified.
type subject struct {
	log     *slog.Logger
	pending func(path string) bool // it has yet to confirm a path
	equal   func()                 // is told when there is no difference
	compare comparison
}

// comparison compares a node with its source; see rsync.Engine.Verify.
type comparison func(ctx context.Context, found func(rsync.Difference)) (cure string, err error)

// start has n compared, and returns before that begins.
func (v *verifier) start(n control.Node, s subject) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return errStopped
	}
	if v.nodes == nil {
		v.nodes = map[control.Node]*verification{}
		v.slots = make(chan struct{}, maxVerifications)
	}
	r := v.nodes[n]
	if r == nil {
		r = new(verification)
		v.nodes[n] = r
	}
	if r.last.Running {
		return errVerifying
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.last = status.Verification{Running: true, Started: *status.At(time.Now()), First: []status.Difference{}}
	r.cancel, r.contents = cancel, nil
	slots := v.slots
	v.done.Go(func() {
		defer cancel()
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-ctx.Done():
			return
		}
		s.log.Info("verification begun")
		began := time.Now()
		cure, err := s.compare(ctx, func(d rsync.Difference) {
			late := s.pending(d.Path)
			v.mu.Lock()
			defer v.mu.Unlock()
			r.add(d, late)
		})
		if ctx.Err() == nil {
			v.end(r, s, time.Since(began), cure, err)
		}
	})
	return nil
}

func (r *verification) add(d rsync.Difference, pending bool) {
	r.last.Differences++
	if pending {
		r.last.Pending++
	}
	if len(r.last.First) < maxFirst {
		r.last.First = append(r.last.First, status.Difference{Path: cmp.Or(d.Path, "."), Kind: d.Kind})
	}
	if strings.Contains(d.Kind, "content") && len(r.contents) < maxContents {
		r.contents = append(r.contents, d.Path)
	}
}

// end notes and logs what a verification came to.
func (v *verifier) end(r *verification, s subject, took time.Duration, cure string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	log := s.log.With("took", took)
	r.last.Running, r.last.Ended = false, status.At(time.Now())
	if err != nil {
		r.last.Error = new(err.Error())
		if cure != "" {
			r.last.Cure = &cure
		}
		log.Error("verification failed", "err", err, "cure", cure)
		return
	}
	if r.last.Differences == 0 {
		log.Info("verified", "differences", 0)
		s.equal() // before anybody is told that it has ended
		return
	}
	if r.last.Differences > r.last.Pending {
		r.last.Cure = new("resync makes them equal")
	}
	log.Warn("verified", "differences", r.last.Differences, "pending", r.last.Pending,
		"first", r.last.First[0].Path, "kind", r.last.First[0].Kind)
}

// complete adds to the nodes of a mirror what is known of their verification.
func (v *verifier) complete(m *status.Mirror) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range m.Nodes {
		n := &m.Nodes[i]
		r := v.nodes[control.Node{Mirror: m.Name, Node: n.Node}]
		if r == nil {
			continue
		}
		last := r.last
		last.First = slices.Clone(last.First)
		n.Verification = &last
	}
}

// withContent adds to a comparison of the whole tree the files that the last
// verification of n found to differ in content: it compares by size and time,
// and they may differ in neither.
func (v *verifier) withContent(n control.Node, all *change.Set) *change.Set {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.nodes[n]
	if r == nil || len(r.contents) == 0 {
		return all
	}
	all = all.Clone()
	now := time.Now()
	for _, path := range r.contents {
		all.Add(path, change.Itself|change.Content, now)
	}
	return all
}

// keep ends and forgets the verifications of nodes that are no more.
func (v *verifier) keep(is func(control.Node) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for n, r := range v.nodes {
		if !is(n) {
			r.cancel()
			delete(v.nodes, n)
		}
	}
}

// close ends those that run and waits for them. None is started after it.
func (v *verifier) close() {
	v.mu.Lock()
	v.closed = true
	for _, r := range v.nodes {
		r.cancel()
	}
	v.mu.Unlock()
	v.done.Wait()
}
