package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"inosyncd/config"
	"inosyncd/internal/manual"
)

// manCommand prints the man pages. It is made of the command tree it hangs in.
func (a *app) manCommand() *cobra.Command {
	pages := []string{"inosyncd", "inosync.yaml"}
	return &cobra.Command{
		Use:   "man [inosyncd|inosync.yaml]",
		Short: "print the manual of the program or of its configuration",
		Long: `man prints the man page inosyncd(8), or inosync.yaml(5), in the form that man(1)
reads:

    inosyncd man | man -l -
    inosyncd man inosync.yaml >/usr/local/share/man/man5/inosync.yaml.5`,
		ValidArgs: pages,
		Args:      oneOf(pages, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := ""
			if len(args) > 0 && args[0] == "inosync.yaml" {
				text = manual.Config(manualKeys())
			} else {
				text = manual.Program(cmd.Root(), manualSections())
			}
			_, err := io.WriteString(a.stdout, text)
			return err
		},
	}
}

// completionCommand prints what a shell completes the command line by.
func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "fish", "zsh"}
	return &cobra.Command{
		Use:   "completion bash|fish|zsh",
		Short: "print what a shell needs to complete the command line",
		Long: `completion prints a script for a shell:

    inosyncd completion bash >/etc/bash_completion.d/inosyncd
    inosyncd completion fish >~/.config/fish/completions/inosyncd.fish
    inosyncd completion zsh >/usr/local/share/zsh/site-functions/_inosyncd`,
		ValidArgs: shells,
		Args:      oneOf(shells, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(a.stdout, true)
			case "fish":
				return cmd.Root().GenFishCompletion(a.stdout, true)
			default:
				return cmd.Root().GenZshCompletion(a.stdout)
			}
		},
	}
}

// oneOf takes one of the names, or none where none are needed.
func oneOf(names []string, least int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return usageError{fmt.Errorf("%s needs an argument: one of %q", cmd.Name(), names)}
		}
		if len(args) > 1 {
			return usageError{fmt.Errorf("unexpected argument %q", args[1])}
		}
		if err := cobra.OnlyValidArgs(cmd, args); err != nil {
			return usageError{fmt.Errorf("unexpected argument %q: one of %q is meant", args[0], names)}
		}
		return nil
	}
}

// manualKeys are the keys of the configuration as the manual takes them.
func manualKeys() []manual.Key {
	places := map[config.Scope]manual.Place{
		config.Top:       manual.AtTop,
		config.PerMirror: manual.AtMirror,
		config.PerNode:   manual.AtNode,
		config.InNode:    manual.InNode,
		config.InSSH:     manual.InSSH,
	}
	var keys []manual.Key
	for _, k := range config.Keys() {
		key := manual.Key{
			Name: k.Name, Default: k.Default, Derived: k.Derived, Type: string(k.Type),
			Min: k.Min, Choices: k.Choices, Meaning: k.Meaning,
		}
		for scope, place := range places {
			if k.Scope&scope != 0 {
				key.Place |= place
			}
		}
		keys = append(keys, key)
	}
	return keys
}

// manualSections are the parts of inosyncd(8) that the command tree does not
// hold.
func manualSections() []manual.Section {
	return []manual.Section{
		{Title: "EXIT STATUS", Items: []manual.Item{
			{Term: strconv.Itoa(exitOK), Text: "success"},
			{Term: strconv.Itoa(exitFailed), Text: "failure; of sync and verify: some node differs from its source; of check --remote: a fault was found"},
			{Term: strconv.Itoa(exitUsage), Text: "usage error"},
			{Term: strconv.Itoa(exitConfig), Text: "fault in the configuration, or in a file to import; systemd does not restart the service after it"},
			{Term: strconv.Itoa(exitSignal) + "+n", Text: "ended by signal number n"},
		}},
		{Title: "SIGNALS", Items: []manual.Item{
			{Term: "TERM, INT", Text: "stop. What is pending is pushed for up to 10 seconds; the full sync of the next start finds the rest. A second signal, at least a second after the first, ends the daemon at once."},
			{Term: "HUP", Text: "re-read the configuration and reopen the log file. A faulty configuration is logged and changes nothing. Of a good one, only what differs is applied: other mirrors and nodes keep running. A node that is removed keeps its copy."},
		}},
		{Title: "FILES", Items: []manual.Item{
			{Term: defaultConfig, Text: "the configuration, see inosync.yaml(5)"},
			{Term: "/etc/inosync.token", Text: "token of the web page (listen): its first line, 16 bytes or more, mode 0600 or 0400; sent as HTTP Basic password with any user name, or as Authorization: Bearer. For another configuration, the file of its name that ends in .token. A systemd credential inosync.token comes first. Read at the start and on HUP. Without a token, a page that is not on a loopback address can be read by anyone and takes no orders"},
			{Term: "/run/inosyncd.sock", Text: "the control socket. Not as root: inosyncd.sock in $XDG_RUNTIME_DIR. As a service: control.sock in /run/inosyncd, or in /run/inosyncd@NAME for /etc/inosync/NAME.yaml"},
			{Term: ".inosyncd-partial", Text: "directory on a node for files whose transfer broke off, to be resumed; never mirrored"},
			{Term: ".inosyncd-check-*", Text: "file on a node while check --remote runs; one left behind can be removed"},
		}},
		{Title: "ENVIRONMENT", Items: []manual.Item{
			{Term: "INOSYNCD_KEY", Text: "overrides a single-valued key at the top of the configuration: INOSYNCD_LOG_LEVEL=debug"},
		}},
	}
}
