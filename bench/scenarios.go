package main

import (
	"flag"
	"fmt"
	"time"
)

// options are the sizes of the scenarios.
type options struct {
	samples int           // changes that are timed, each
	pace    int           // inosyncd's push_rate, 0 for its default of one a second
	pause   time.Duration // between them, for that rate
	nodes   []int         // numbers of nodes
	small   int           // files of a small tree
	bursts  []burst
	big     int // MiB of a big file
	renamed int // files in a directory that is renamed
	churn   int // writes to excluded files
	storm   int // new files on many directories
	dirs    int // directories to watch
	files   int // files in them
	idle    time.Duration
	quiet   time.Duration // longest wait for a program to come to rest
	load    time.Duration // of changes at a steady rate
	calm    bool          // also lsyncd with its default delay
}

var (
	usual = options{
		samples: 5, pause: 1050 * time.Millisecond, nodes: []int{1, 3, 10}, small: 1000,
		bursts: []burst{{100, 0}, {1000, 0}, {5000, 0}, {50_000, 100}},
		big:    256, renamed: 10_000, churn: 5000, storm: 5000, dirs: 20_000, files: 20_000,
		idle: time.Minute, quiet: 2 * time.Minute, load: 10 * time.Second, calm: true,
	}
	short = options{
		samples: 2, pace: 100, nodes: []int{2}, small: 100,
		bursts: []burst{{200, 4}},
		big:    4, renamed: 100, churn: 100, storm: 100, dirs: 200, files: 400,
		idle: 100 * time.Millisecond, load: 200 * time.Millisecond,
	}
)

func (o *options) flags(f *flag.FlagSet) {
	f.IntVar(&o.samples, "n", o.samples, "changes that are timed in each scenario")
	f.DurationVar(&o.pause, "pause", o.pause, "pause between timed changes")
	f.IntVar(&o.small, "small", o.small, "files of a small tree")
	f.IntVar(&o.big, "big", o.big, "`MiB` of the big file that is changed")
	f.IntVar(&o.renamed, "renamed", o.renamed, "files in the directory that is renamed")
	f.IntVar(&o.churn, "churn", o.churn, "writes to excluded files")
	f.IntVar(&o.dirs, "dirs", o.dirs, "directories to watch")
	f.IntVar(&o.files, "files", o.files, "files in them")
	f.DurationVar(&o.idle, "idle", o.idle, "time over which the CPU of idle programs is measured")
	f.DurationVar(&o.load, "load", o.load, "time for which there are 200 changes a second")
}

// scenario is a thing to measure.
type scenario struct {
	name string
	run  func(b *bench) error
}

func scenarios(o options) []scenario {
	var list []scenario
	for _, t := range transports {
		list = append(list, scenario{"change, " + t.name, func(b *bench) error { return b.changes(t) }})
	}
	for _, n := range o.bursts {
		list = append(list, scenario{n.String(), func(b *bench) error { return b.burst(n) }})
	}
	return append(list,
		scenario{fmt.Sprintf("4 KiB in a file of %d MiB", o.big), (*bench).bigFile},
		scenario{fmt.Sprintf("rename of a directory of %s files", number(o.renamed)), (*bench).rename},
		scenario{fmt.Sprintf("%s excluded writes", number(o.churn)), (*bench).excluded},
		scenario{fmt.Sprintf("%d changes a second for %v", loadRate, o.load), (*bench).steady},
		scenario{fmt.Sprintf("watches on %s directories", number(o.dirs)), (*bench).watch},
		scenario{fmt.Sprintf("%s directories, %s files", number(o.dirs), number(o.files)), (*bench).rest},
	)
}
