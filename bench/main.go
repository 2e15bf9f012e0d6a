// Command bench measures inosyncd beside plain rsync and lsyncd, all in one run
// on the same trees and the same rsync daemons, so that the ratios hold where
// the times do not.
//
// Every program runs with its defaults but for the delay, which is 0. Programs
// that are not installed are left out. A line of the result has the value of one
// program and, for the others, how many times as much theirs is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"inosyncd/internal/lab"
)

// options are the sizes of the scenarios.
type options struct {
	samples int           // changes that are timed, each
	pause   time.Duration // between them: the default push_rate is one a second
	nodes   []int         // numbers of rsync daemons
	small   int           // files of a small tree
	large   int           // files of a large tree
	flood   int           // new files at once
	churn   int           // writes to excluded files
	dirs    int           // directories to watch
}

var (
	full  = options{15, 1050 * time.Millisecond, []int{1, 3, 10}, 1000, 100_000, 5000, 20_000, 20_000}
	short = options{2, 0, []int{2}, 100, 500, 200, 200, 500}
)

// scenario is a thing to measure.
type scenario struct {
	name string
	run  func(b *bench) error
}

func scenarios(o options) []scenario {
	var list []scenario
	for _, n := range o.nodes {
		list = append(list, changeIn(tree{o.small, 100}, n))
	}
	list = append(list, changeIn(tree{o.large, 100}, 1), changeIn(tree{o.large, o.large}, 1))
	return append(list,
		scenario{fmt.Sprintf("new files %d, nodes 3", o.flood), (*bench).flood},
		scenario{fmt.Sprintf("excluded writes %d", o.churn), (*bench).churn},
		scenario{fmt.Sprintf("start, directories %d", o.dirs), (*bench).watch},
	)
}

func changeIn(t tree, nodes int) scenario {
	return scenario{
		fmt.Sprintf("change, nodes %d, %v", nodes, t),
		func(b *bench) error { return b.latency(nodes, t) },
	}
}

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
	o := full
	flags.IntVar(&o.samples, "n", o.samples, "changes that are timed in each scenario")
	flags.DurationVar(&o.pause, "pause", o.pause, "pause between timed changes")
	flags.IntVar(&o.small, "small", o.small, "files of a small tree")
	flags.IntVar(&o.large, "large", o.large, "files of a large tree")
	flags.IntVar(&o.flood, "flood", o.flood, "new files at once")
	flags.IntVar(&o.churn, "churn", o.churn, "writes to excluded files")
	flags.IntVar(&o.dirs, "dirs", o.dirs, "directories to watch")
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
		fmt.Fprintln(progress, "#", s.name)
		b.scenario = s.name
		if err := s.run(b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	b.report.print(out)
	return nil
}

// bench is one run of the scenarios.
type bench struct {
	options
	dir      string   // everything that is made
	programs []string // that are compared, inosyncd first
	binary   string   // inosyncd, as built from this tree
	scenario string   // the one that runs
	report   report
	progress io.Writer
}

func newBench(o options, progress io.Writer) (*bench, error) {
	if err := lab.Need("rsync"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "inosyncd-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{
		options:  o,
		dir:      dir,
		programs: []string{"inosyncd", "lsyncd", "rsync"},
		progress: progress,
	}
	if b.binary, err = lab.BuildInosyncd(context.Background(), dir); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	if err := lab.Need("lsyncd"); err != nil {
		fmt.Fprintln(progress, "# left out:", err)
		b.programs = []string{"inosyncd", "rsync"}
	}
	return b, nil
}
