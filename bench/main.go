// Command bench measures inosyncd beside lsyncd and plain rsync, all in one run
// on the same trees and the same nodes, so that the ratios hold where the times
// do not.
//
// Every program runs with its defaults but for what conf.go says. Programs that
// are not installed are left out. The nodes are stock servers on loopback: a
// network adds its own time to everybody's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"inosyncd/internal/lab"
)

func main() {
	if ranAsRsync(os.Args) {
		return
	}
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	only := flags.String("run", "", "only scenarios whose name matches this `regexp`")
	smoke := flags.Bool("short", false, "the smallest sizes, to see that it runs")
	file := flags.String("o", "", "also write the report to this `file`")
	o := usual
	o.flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *smoke {
		o = short
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	b, err := newBench(o, progress)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	for _, s := range scenarios(o) {
		if !match.MatchString(s.name) {
			continue
		}
		began, before := time.Now(), len(b.report.results)
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(progress, "# %s: %.0f s\n", s.name, time.Since(began).Seconds())
		for _, res := range b.report.results[before:] {
			fmt.Fprintf(progress, "%s, %s, %s: %v\n", res.label, res.measure, res.program, res)
		}
	}
	text := document(here(b.dir), &b.report)
	if *file != "" {
		if err := os.WriteFile(*file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, text)
	return err
}

// bench is one run of the scenarios.
type bench struct {
	options
	dir      string   // everything that is made
	programs []string // that are compared, inosyncd first
	binary   string   // inosyncd, as built from this tree
	sites    int      // made so far
	report   report
	progress io.Writer
}

func newBench(o options, progress io.Writer) (*bench, error) {
	if err := lab.Need("rsync"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench") // short: sockets are made in it
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir, programs: []string{ours, lsyncd, plain}, progress: progress}
	if b.binary, err = lab.BuildInosyncd(context.Background(), dir); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := lab.Need("lsyncd"); err != nil {
		fmt.Fprintln(progress, "# left out:", err)
		b.programs = []string{ours, plain}
	}
	return b, nil
}

// newDir returns a new directory. It is left to who asked to remove it when it
// is large.
func (b *bench) newDir() (string, error) {
	b.sites++
	dir := filepath.Join(b.dir, fmt.Sprint(b.sites))
	return dir, os.Mkdir(dir, 0o755)
}
