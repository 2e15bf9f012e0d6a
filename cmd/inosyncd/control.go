package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"inosyncd/config"
	"inosyncd/internal/control"
)

// controlCommands are the commands that talk to the running daemon.
func (a *app) controlCommands() []*cobra.Command {
	return []*cobra.Command{
		a.statusCommand(),
		a.waitCommand(),
		a.orderCommand(control.Pause, "pause [NODE...]", "push nothing to nodes until resume; what changes is gathered"),
		a.orderCommand(control.Resume, "resume [NODE...]", "end a pause, and try what failed again at once"),
		a.orderCommand(control.Resync, "resync [NODE...]", "compare nodes with the whole source"),
		a.orderCommand(control.Approve, "approve NODE", "release the removals that are held"),
		a.explainCommand(),
	}
}

func (a *app) orderCommand(o control.Order, use, short string) *cobra.Command {
	complete := a.completeNodes(0, anyNode)
	if o == control.Approve {
		complete = a.completeNodes(1, heldNode)
	}
	return &cobra.Command{
		Use:               use,
		Short:             short,
		Long:              short + ".\n\n" + nodeHelp,
		ValidArgsFunction: complete,
		Args: func(_ *cobra.Command, names []string) error {
			if o == control.Approve && len(names) != 1 {
				return usageError{errors.New("which node is to be approved? name one")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			client, err := a.client()
			if err != nil {
				return err
			}
			nodes, err := client.Order(cmd.Context(), o, names)
			for _, n := range nodes {
				fmt.Fprintln(a.stdout, o, printable(n.Mirror), printable(n.Node))
			}
			return asUsage(err)
		},
	}
}

func (a *app) waitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "wait [PATH]",
		Short: "return when PATH, or everything changed so far, is on every node",
		Long: `wait returns when everything that was changed before it was called is on every
node that is enabled; with PATH, when that, and everything below it, is. It
waits as long as that takes, also for a node that is down, held or paused: stop
it by a signal or with timeout(1).

With another watcher than inotify, and where the watches were not enough, nobody
can tell what was missed. PATH is compared then, or without PATH everything.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("unexpected argument %q", args[1])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.wait(cmd.Context(), args) },
	}
}

func (a *app) wait(ctx context.Context, args []string) error {
	path := ""
	if len(args) > 0 {
		var err error
		if path, err = absolute(args[0]); err != nil {
			return err
		}
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	return asUsage(client.Wait(ctx, path))
}

// client is the way to the daemon of the configuration. The faults of one that
// the daemon has not taken are told, and no reason not to ask it.
func (a *app) client() (*control.Client, error) {
	var path string
	cfg, err := a.load()
	if err == nil {
		path = cfg.Control
	} else {
		path = config.ControlOf(a.configFile)
		if _, missing := os.Stat(a.configFile); missing != nil {
			return nil, err
		}
		report(a.stderr, err)
	}
	if path == "" {
		return nil, errors.New("the configuration names no control socket: set the key control")
	}
	return control.NewClient(socketPaths(path, a.configFile)...), nil
}

// asUsage makes a usage error of what the daemon says is one.
func asUsage(err error) error {
	if e, ok := errors.AsType[*control.UsageError](err); ok {
		return usageError{e}
	}
	return err
}
