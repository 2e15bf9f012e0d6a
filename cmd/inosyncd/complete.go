package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"inosyncd/config"
	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

// completeLimit is how long somebody who has pressed TAB waits for the daemon.
const completeLimit = time.Second

// completeNodes completes the names of nodes and of mirrors, at most so many of
// them: those that the daemon has and that are wanted, or those of the
// configuration where none answers. most 0 is any number.
func (a *app) completeNodes(most int, want func(status.Node) bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most > 0 && len(given) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		add := func(name, help string) {
			known := func(c cobra.Completion) bool { return strings.HasPrefix(c, name+"\t") }
			if typable(name) && !slices.Contains(given, name) && !slices.ContainsFunc(names, known) {
				names = append(names, cobra.CompletionWithDesc(name, help))
			}
		}
		for _, m := range a.knownMirrors(cmd.Context()) {
			nodes := slices.DeleteFunc(m.Nodes, func(n status.Node) bool { return n.Disabled || !want(n) })
			if len(nodes) > 1 && most != 1 {
				add(m.Name, "all nodes of this mirror")
			}
			for _, n := range nodes {
				add(n.Node, "node of "+escaped(m.Name))
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// knownMirrors are the mirrors of the running daemon, else of the configuration;
// none where neither can be read.
func (a *app) knownMirrors(ctx context.Context) []status.Mirror {
	cfg, err := a.load()
	if err != nil {
		if _, missing := os.Stat(a.configFile); missing != nil {
			return nil
		}
		cfg = &config.Config{Control: config.ControlOf(a.configFile)}
	}
	ctx, cancel := context.WithTimeout(ctx, completeLimit)
	defer cancel()
	if s, err := control.NewClient(socketPaths(cfg.Control, a.configFile)...).Status(ctx); err == nil {
		return s.Mirrors
	}
	var all []status.Mirror
	for _, m := range cfg.Mirrors {
		all = append(all, mirrorStatus(m, nil, false))
	}
	return all
}

// typable reports whether a shell can take name for a completion: one comes on
// a line of its own, and a tab ends it.
func typable(name string) bool {
	return name != "" && !strings.ContainsFunc(name, unicode.IsControl) && strings.ToValidUTF8(name, "") == name
}

func anyNode(status.Node) bool { return true }

func heldNode(n status.Node) bool { return n.State == status.Held }
