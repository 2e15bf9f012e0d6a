package manual

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Program returns inosyncd(8): the man page of the command tree below root,
// with the sections put before its examples.
func Program(root *cobra.Command, sections []Section) string {
	root.InitDefaultHelpFlag()
	p := newPage(root.Name(), "8", "System Administration")
	p.heading("NAME")
	p.line(`%s \- %s`, escape(root.Name()), escape(root.Short))
	p.heading("SYNOPSIS")
	p.line(`\fB%s\fR [\fIOPTIONS\fR]`, escape(root.Name()))
	walk(root, func(c *cobra.Command) {
		p.line(".br")
		p.line(`\fB%s\fR`, escape(synopsis(c)))
	})
	p.heading("DESCRIPTION")
	p.text(root.Long)
	p.heading("OPTIONS")
	root.LocalFlags().VisitAll(p.flag)
	p.text("-c and -v are taken by every command. Letters can be put together, as in -dv.")
	p.heading("COMMANDS")
	walk(root, p.command)
	p.sections(sections)
	p.heading("EXAMPLES")
	p.text(root.Example)
	walk(root, func(c *cobra.Command) {
		if c.Example != "" {
			p.text(c.Example)
		}
	})
	p.heading("SEE ALSO")
	p.line(`\fBinosync.yaml\fR(5), \fBrsync\fR(1), \fBrsyncd.conf\fR(5), \fBssh_config\fR(5), \fBinotify\fR(7)`)
	return p.String()
}

// walk calls visit for every command below c that does something and is shown
// in the help, in the order of the help.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "help" {
			continue
		}
		if sub.Runnable() && !sub.HasAvailableSubCommands() {
			visit(sub)
		}
		walk(sub, visit)
	}
}

// synopsis is how c is called, without what every command takes.
func synopsis(c *cobra.Command) string {
	words := []string{c.Parent().CommandPath(), c.Use}
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			words = append(words, "[--"+f.Name+"]")
		}
	})
	return strings.Join(words, " ")
}

func (p *page) command(c *cobra.Command) {
	p.line(".SS %s", escape(synopsis(c)))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	p.text(text)
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			p.flag(f)
		}
	})
}

func (p *page) flag(f *pflag.Flag) {
	if f.Hidden {
		return
	}
	value, usage := pflag.UnquoteUsage(f)
	tag := "--" + f.Name
	if f.Shorthand != "" {
		tag = "-" + f.Shorthand + ", " + tag
	}
	if value != "" {
		tag += " " + value
	}
	if f.DefValue != "" && f.DefValue != "false" {
		usage += " (default " + f.DefValue + ")"
	}
	p.term(tag, usage)
}
