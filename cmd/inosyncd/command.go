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

const longHelp = `inosyncd watches directory trees with inotify and mirrors every change to
several nodes within moments, using stock rsync.

Without a command it mirrors until it is stopped.`

const example = `  inosyncd check -c /etc/inosync.yaml     is the configuration right?
  inosyncd verify -c /etc/inosync.yaml    what would a full sync change?
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
		SuggestionsMinimumDistance: 2, // edits, Levenshtein

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
	flags.BoolVarP(&a.daemonize, "daemonize", "d", false, "run in the background; return when it is watching")
	flags.BoolVarP(&a.pretend, "pretend", "p", false, "do not call rsync: log the pushes that would be made")
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
	cmd.Flags().BoolVar(&remote, "remote", false, "also check sources, inotify limits and every node: login, path, permissions, rsync, space")
	return cmd
}

func (a *app) syncCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sync [NODE...]",
		Short: "do one full sync of every mirror, then exit",
		Long: `sync compares every node, or the named ones, with the whole source once: it sends
what differs and, unless delete is off, removes what the source does not have.
If that would remove more than max_delete entries, it removes none and fails. On
a terminal it shows its progress.

` + nodeHelp,
		RunE: func(cmd *cobra.Command, nodes []string) error { return a.sync(cmd.Context(), nodes) },

		ValidArgsFunction: a.completeNodes(0, anyNode),
	}
}

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [NODE...]",
		Short: "compare nodes with the source by content, and list what differs",
		Long: `verify compares nodes with the source by content and lists what differs: what a
full sync would send (missing, content, times, ...) and remove (extra). It changes
nothing on either side, so it is also the dry run before a first sync. It reads
every file at both ends. Times of directories are not compared: they change with every
file that comes or goes, even an excluded one. Nodes that are equal get a new
last_verified in the status of a running daemon.

` + nodeHelp,
		RunE: func(cmd *cobra.Command, nodes []string) error { return a.verify(cmd.Context(), nodes) },

		ValidArgsFunction: a.completeNodes(0, anyNode),
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasParent():
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	err := fmt.Errorf("there is no command %q", args[0])
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		err = fmt.Errorf("%w: did you mean %s?", err, strings.Join(meant, " or "))
	}
	return usageError{err}
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
