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
		a.orderCommand(control.Pause, "pause [NODE...]", "stop pushing to nodes until resume; changes are kept pending"),
		a.orderCommand(control.Resume, "resume [NODE...]", "end a pause, or retry failed and held nodes at once"),
		a.orderCommand(control.Resync, "resync [NODE...]", "compare nodes with the whole source, and send what differs"),
		a.orderCommand(control.Approve, "approve NODE", "release the removals that a node holds back"),
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
				return usageError{errors.New("approve needs one NODE: inosyncd status shows which hold removals back")}
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
		Short: "wait until PATH, or everything changed so far, is on every node",
		Long: `wait returns when everything that changed before it was called is on every enabled
node; with PATH, when PATH and everything below it is. It waits as long as that
takes, even for a node that is down, held or paused: limit it with timeout(1).

Where changes may have gone unnoticed (too few watches, or another watcher than
inotify), PATH is compared first, or everything without PATH.`,
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
		return nil, errors.New("the configuration names no control socket: set the key control, and restart inosyncd")
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
