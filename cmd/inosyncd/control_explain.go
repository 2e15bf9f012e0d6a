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
	"inosyncd/internal/status"
)

// Explain implements control.Daemon.
func (d *desk) Explain(path string) ([]control.Explanation, error) {
	cfg, running := d.view()
	all := []control.Explanation{}
	for _, p := range locate(cfg, path) {
		e := p.judge()
		if m := running[p.mirror.Name]; m != nil && e.Mirrored {
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
		last, since := m.nodes.LastPush(n.Node, path)
		p := control.Path{
			Node:         n.Node,
			State:        n.State,
			Pending:      e.Queued || slices.Contains(touching, n.Node),
			LastPush:     status.At(last),
			Remembered:   status.At(since),
			LastFullSync: n.LastFullSync,
		}
		if p.Pending {
			n.Pending = max(n.Pending, 1) // what is queued is on its way to it
			p.Why, p.Cure = n.Trouble()
			p.NextTry = n.NextTry
		}
		e.Nodes = append(e.Nodes, p)
	}
}

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain PATH...",
		Short: "say whether PATH is mirrored, by which rule, when it was sent, why it is pending",
		Long: `explain says whether each PATH is mirrored, and which rule decides, with its place
in the configuration. For each node it says when PATH was last pushed by name,
and whether PATH, or anything below it, is pending, and why. The daemon remembers
about 10,000 pushed paths per node since its start; for other paths only the last
full sync is known. Without a running daemon only the rules are explained.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("explain needs a PATH")}
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
	client := control.NewClient(socketPaths(cfg.Control, a.configFile)...)
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
			return asUsage(err)
		}
		printExplanations(a.stdout, path, all)
	}
	return nil
}

// absolute makes a path of the command line absolute. It keeps a slash at the
// end, which says that it is a directory.
func absolute(path string) (string, error) {
	if path == "" { // a variable of a script was, most likely
		return "", usageError{errors.New("the path is empty")}
	}
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
	fmt.Fprintln(w, escaped(path))
	if len(all) == 0 {
		fmt.Fprintln(w, "  mirrored: no: it lies in no mirror's wpath")
	}
	for _, e := range all {
		fmt.Fprintf(w, "  mirror:   %s\n", escaped(e.Mirror))
		fmt.Fprintf(w, "  mirrored: %s: %s\n", yesNo(e.Mirrored), escaped(verdictText(e)))
		if !e.Mirrored {
			continue
		}
		fmt.Fprintf(w, "  pending:  %s\n", pendingText(e))
		for _, n := range e.Nodes {
			fmt.Fprintf(w, "  %s: %s\n", escaped(n.Node), standing(n))
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

// standing is how a path stands at a node, and, on lines of their own, why and
// what can be done.
func standing(n control.Path) string {
	if !n.Pending {
		if n.LastPush == nil && n.LastFullSync == nil {
			return "nothing is pending, " + lastPush(n)
		}
		return "confirmed, " + lastPush(n)
	}
	text := "pending, " + lastPush(n) + "\n    " + string(n.State)
	if n.Why != "" {
		text += ": " + escaped(n.Why)
	}
	if n.NextTry != nil {
		text += "\n    next try: " + clock(n.NextTry)
	}
	if n.Cure != "" {
		text += "\n    cure: " + escaped(n.Cure)
	}
	return text
}

// lastPush is when a path was last sent to a node. A full sync compares it with
// all others and does not say whether it was sent.
func lastPush(n control.Path) string {
	if n.LastPush != nil && (n.LastFullSync == nil || n.LastPush.After(*n.LastFullSync)) {
		return "last push " + clock(n.LastPush)
	}
	text := "not pushed since " + clock(n.Remembered)
	if n.LastPush != nil {
		text = "last push " + clock(n.LastPush)
	}
	return text + ", last full sync " + clock(n.LastFullSync)
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
