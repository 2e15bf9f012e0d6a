package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"inosyncd/config"
	"inosyncd/delta/rsync/node"
	"inosyncd/internal/importer"
)

// importCommand turns the configuration of another program into one of this.
func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "turn the configuration of another program into YAML",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("import needs a program and a FILE: import inosync FILE, or import lsyncd FILE")}
		},
	}
	cmd.AddCommand(
		a.importFrom("inosync", importer.Inosync),
		a.importFrom("lsyncd", importer.Lsyncd),
	)
	return cmd
}

func (a *app) importFrom(program string, read func([]byte, importer.Accepts) (importer.Result, error)) *cobra.Command {
	return &cobra.Command{
		Use:   program + " FILE",
		Short: "print the YAML that does what " + program + "'s FILE does",
		Long: fmt.Sprintf(`import %[1]s reads a configuration of %[1]s and prints the YAML that does
the same. FILE is read and never executed: only values that stand there
literally are understood. What is not taken over is said at the top of the
result and on standard error.`, program),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("import %s needs one FILE", program)}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			content, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			accepts := func(option string) bool { return node.CheckArgs([]string{option}) == nil }
			result, err := read(content, accepts)
			if err != nil {
				return importFaults(args[0], err)
			}
			for _, n := range result.Notes {
				fmt.Fprintf(a.stderr, "%s:%d: %s\n", args[0], n.Line, printable("not taken over: "+n.What))
			}
			_, err = a.stdout.Write(result.YAML)
			return err
		},
	}
}

// importFaults makes faults of the configuration of what is wrong with a file
// to import.
func importFaults(file string, err error) error {
	if notes, ok := errors.AsType[importer.Faults](err); ok {
		var faults config.Faults
		for _, n := range notes {
			faults = append(faults, config.Fault{File: file, Line: n.Line, Msg: n.What})
		}
		return faults
	}
	return err
}
