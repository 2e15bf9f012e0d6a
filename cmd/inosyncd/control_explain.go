package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"inosyncd/internal/control"
)

// Explain implements control.Daemon.
func (d *desk) Explain(path string) ([]control.Explanation, error) {
	cfg, running := d.view()
	all := []control.Explanation{}
	for _, p := range locate(cfg, path) {
		e := p.judge()
		if m := find(running, p.mirror.Name); m != nil && e.Mirrored {
			m.explain(&e, p.path)
		}
		all = append(all, e)
	}
	return all, nil
}

// explain adds what is pending of a path.
func (m *mirror) explain(e *control.Explanation, path string) {
	e.Queued = m.queue.Touches(path)
	touching := m.nodes.Touching(path)
	pending := e.Queued || len(touching) > 0
	e.Pending = &pending
	for _, n := range m.nodes.Snapshot() {
		p := control.Path{
			Node:     n.Node,
			State:    n.State,
			Pending:  e.Queued || slices.Contains(touching, n.Node),
			LastPush: n.LastSuccess,
		}
		switch {
		case !p.Pending:
		case n.Held != nil:
			p.Why = n.Held.Reason
		case n.LastError != nil:
			p.Why = *n.LastError
		}
		e.Nodes = append(e.Nodes, p)
	}
}

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain PATH...",
		Short: "is PATH mirrored, which rule decides, what is pending and why",
		Long: `explain says of each PATH whether it is mirrored and which rule decides, with
its place in the configuration, and on which nodes it, or something below it,
is pending and why. Without a running daemon only the rules are explained.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("which path is to be explained?")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error { return a.explain(cmd.Context(), paths) },
	}
}

func (a *app) explain(ctx context.Context, paths []string) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	client := control.NewClient(socketPaths(cfg.Control)...)
	for _, path := range paths {
		path, err := absolute(path)
		if err != nil {
			return err
		}
		all, err := client.Explain(ctx, path)
		if _, ok := errors.AsType[*control.NotRunningError](err); ok || cfg.Control == "" {
			all, err = nil, nil
			for _, p := range locate(cfg, path) {
				all = append(all, p.judge())
			}
		}
		if err != nil {
			return err
		}
		printExplanations(a.stdout, path, all)
	}
	return nil
}

// absolute makes a path of the command line absolute. It keeps a slash at the
// end, which says that it is a directory.
func absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("making %q absolute: %w", path, err)
	}
	if strings.HasSuffix(path, "/") && abs != "/" {
		abs += "/"
	}
	return abs, nil
}

func printExplanations(w io.Writer, path string, all []control.Explanation) {
	fmt.Fprintln(w, printable(path))
	if len(all) == 0 {
		fmt.Fprintln(w, "  mirrored: no: it lies in no mirror's wpath")
	}
	for _, e := range all {
		fmt.Fprintf(w, "  mirror:   %s\n", printable(e.Mirror))
		fmt.Fprintf(w, "  mirrored: %s: %s\n", yesNo(e.Mirrored), printable(verdictText(e)))
		if !e.Mirrored {
			continue
		}
		fmt.Fprintf(w, "  pending:  %s\n", pendingText(e))
		for _, n := range e.Nodes {
			fmt.Fprintf(w, "  %s: %s\n", printable(n.Node), printable(standing(n)))
		}
	}
}

func verdictText(e control.Explanation) string {
	if e.Rule == nil {
		return e.Reason
	}
	return e.Reason + ": rule " + ruleText(e.Rule)
}

// ruleText is a rule and its place.
func ruleText(r *control.Rule) string {
	if r.File == "" {
		return fmt.Sprintf("%q", r.Text)
	}
	return fmt.Sprintf("%q (%s:%d)", r.Text, r.File, r.Line)
}

func pendingText(e control.Explanation) string {
	switch {
	case e.Pending == nil:
		return "unknown, as no daemon answers"
	case e.Queued:
		return "yes: it waits for edelay, or for the writer of a new file"
	default:
		return yesNo(*e.Pending)
	}
}

// standing is how a path stands at a node. When it was sent itself is not kept,
// but not later than the last push if nothing is pending.
func standing(n control.Path) string {
	last := "last push unknown"
	if n.LastPush != nil {
		last = "last push " + clock(n.LastPush)
	}
	switch {
	case !n.Pending && n.LastPush != nil:
		return "confirmed, " + last
	case !n.Pending:
		return "nothing is pending, " + last
	case n.Why != "":
		return fmt.Sprintf("pending, %s: %s, %s", n.State, n.Why, last)
	default:
		return fmt.Sprintf("pending, %s, %s", n.State, last)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// clock is a time as people read it.
func clock(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}
