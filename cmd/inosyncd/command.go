package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"inosyncd/config"
)

const defaultConfig = "/etc/inosync.yaml"

const longHelp = `inosyncd watches directory trees with inotify and keeps copies of them on
several nodes up to date, within moments of each change, with stock rsync.

Without a command it mirrors until it is stopped.`

const example = `  inosyncd check -c /etc/inosync.yaml     is the configuration right?
  inosyncd -c /etc/inosync.yaml -pv       what would be pushed, in the foreground
  inosyncd -c /etc/inosync.yaml -d        mirror, in the background`

const nodeHelp = `A NODE is a node as status shows it or the configuration writes it, its host, or
the name of a mirror, which stands for all of its nodes.`

// app is one run of the program.
type app struct {
	stdout, stderr io.Writer

	configFile string
	daemonize  bool
	pretend    bool
	verbose    bool

	showVersion bool
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "inosyncd",
		Short:         "mirror directory trees to several nodes as they change",
		Long:          longHelp,
		Example:       example,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.configFile == "" { // a variable of a script was, most likely
				return usageError{errors.New("--config names no file")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.showVersion {
				return a.version(cmd.Context())
			}
			return a.mirror(cmd.Context())
		},
	}
	all := root.PersistentFlags()
	all.StringVarP(&a.configFile, "config", "c", defaultConfig, "configuration `FILE`")
	// -v is defined before cobra can claim it for --version.
	all.BoolVarP(&a.verbose, "verbose", "v", false, "print debugging information")
	flags := root.Flags()
	flags.BoolVarP(&a.daemonize, "daemonize", "d", false, "fork to background, return when watching")
	flags.BoolVarP(&a.pretend, "pretend", "p", false, "do not call rsync: log the syncs that would be made")
	flags.BoolVar(&a.showVersion, "version", false, "print version, commit, Go version and the rsync found")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.checkCommand(), a.syncCommand(), a.verifyCommand())
	root.AddCommand(a.manCommand(), a.completionCommand(), a.importCommand())
	root.AddCommand(a.controlCommands()...)
	root.SetHelpCommand(helpCommand())
	return root
}

// helpCommand is in place of cobra's, which ends well where there is no such
// command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{fmt.Errorf("there is no command %q", strings.Join(args, " "))}
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

func (a *app) checkCommand() *cobra.Command {
	remote := false
	cmd := &cobra.Command{
		Use:   "check",
		Short: "read the configuration and report every fault",
		Long:  checkHelp,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if remote {
				return a.checkRemote(cmd.Context())
			}
			return a.check(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&remote, "remote", false, "also reach every node and say what is wrong there, and with the sources and limits of this machine")
	return cmd
}

func (a *app) syncCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sync [NODE...]",
		Short: "one full sync of every mirror, then exit",
		Long: `sync compares every node, or those that are named, with the whole source once,
sends what differs and removes what the source does not have, unless delete is
off. More removals than max_delete are not made, which is a failure. On a terminal
it shows how far it is.

` + nodeHelp,
		RunE: func(cmd *cobra.Command, nodes []string) error { return a.sync(cmd.Context(), nodes) },

		ValidArgsFunction: a.completeNodes(0, anyNode),
	}
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [NODE...]",
		Short: "compare nodes with the source by content, list what differs",
		Long: `verify compares nodes with the source by content and lists what differs. It
changes nothing, on either side. A running daemon is told which nodes were found
equal: last_verified in its status.

` + nodeHelp,
		RunE: func(cmd *cobra.Command, nodes []string) error { return a.verify(cmd.Context(), nodes) },

		ValidArgsFunction: a.completeNodes(0, anyNode),
	}
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

// load reads the configuration.
func (a *app) load() (*config.Config, error) { return config.Load(a.configFile) }

// loadToRun reads the configuration for one who will run the programs that it
// names, and finds out whether they can be used.
func (a *app) loadToRun(ctx context.Context) (*config.Config, error) {
	cfg, err := a.load()
	if err == nil && !a.pretend {
		err = cfg.CheckPrograms(ctx)
	}
	return cfg, err
}

// check reports every fault of the configuration and of the token beside it.
func (a *app) check(ctx context.Context) error {
	cfg, err := a.loadToRun(ctx)
	if err != nil {
		return err
	}
	if cfg.Listen != "" {
		if _, err := readToken(tokenFile(a.configFile)); err != nil {
			return err
		}
	}
	for _, w := range cfg.Warnings {
		fmt.Fprintln(a.stderr, w.Error()+" (warning)")
	}
	nodes := 0
	for _, m := range cfg.Mirrors {
		nodes += len(m.Nodes)
	}
	fmt.Fprintf(a.stdout, "%s: no faults; mirrors: %d, nodes: %d\n", escaped(a.configFile), len(cfg.Mirrors), nodes)
	return nil
}

// level is the least level that a command logs: log_level is the daemon's.
func (a *app) level() slog.Level {
	if a.verbose {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// printable escapes what a terminal would act upon, but for the ends of lines.
func printable(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = escaped(lines[i])
	}
	return strings.Join(lines, "\n")
}

// escaped is a name as a person can read it, on one line.
func escaped(name string) string {
	q := strconv.Quote(name)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
