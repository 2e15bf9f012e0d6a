package main

import (
	"fmt"
	"strings"
)

// target is what a figure is to be: at most so much or, where another program
// is named, at most so many times its figure.
type target struct {
	label   string // of the scenario, its beginning
	measure string // its beginning
	most    float64
	than    string
	limits  string // what keeps it from that, where it does
}

// What keeps inosyncd from a target. It is printed where the target is missed.
const (
	limitsOne  = "what is left is the receiver, which reads the list, writes the file and renames it, and the wake-ups of the processes on the way"
	limitsNear = "lsyncd with `delay = 0` starts a local rsync in a small tree in a few milliseconds; " +
		"a fifteenth of that is less than the receiver needs to put a file in place"
	limitsKept = "lsyncd is given a kept ssh connection here, which saves it most of the time that it takes by itself"
	limitsTen  = "ten senders and ten receivers share the cores with each other and with the daemon"
	limitsMany = "the files are pushed in several batches, each of which is looked at before it is sent, " +
		"while their writer still competes for the cores"
	limitsPace = "`push_rate` lets a push to a node start once a second, and a change waits for the next start and " +
		"then for the push; with a higher rate it waits less and costs more"
	limitsCPU  = "each push looks at its paths before and after it, and a process is armed after each; fewer pushes cost less"
	limitsIdle = "the daemon watches the directories above the source too, to notice when the source goes, " +
		"and wakes up for what others do in them"
	limitsSize = "a directory costs a node of the watcher's tree, and the Go runtime keeps what it once needed"
)

var targets = []target{
	{"1 change, local directory, 1 node", "median", 5, "", limitsOne},
	{"1 change, rsync daemon, 1 node", "median", 5, "", limitsOne},
	{"1 change, ssh, 1 node", "median", 5, "", limitsOne},
	{"1 change, local directory, 1 node", "median", 1. / 15, lsyncd, limitsNear},
	{"1 change, rsync daemon, 1 node", "median", 1. / 15, lsyncd, limitsOne},
	{"1 change, ssh, 1 node", "median", 1. / 15, lsyncd, limitsKept},
	{"1 change, local directory, 10 nodes", "median", 20, "", limitsTen},
	{"1 change, rsync daemon, 10 nodes", "median", 20, "", limitsTen},
	{"1 change, ssh, 10 nodes", "median", 20, "", limitsTen},
	{"50,000 new files", "from the first write", 1.2, plain, limitsMany},
	{"50,000 new files", "from the last write", 1.2, plain, limitsMany},
	{"200 changes a second", "greatest lag", 1000, "", limitsPace},
	{"200 changes a second", "CPU at the source", 0.5, lsyncd, limitsCPU},
	{"20,000 directories", "CPU over", 0, "", limitsIdle},
	{"100,000 directories", "CPU over", 0, "", limitsIdle},
	{"100,000 directories", "memory at", 100, "", limitsSize},
}

// check is a target beside what was found.
type check struct {
	want, found string
	met         bool
	limits      string
}

func (c check) verdict() string {
	if c.met {
		return "met"
	}
	return "missed"
}

// check checks the targets for which there are figures.
func (r *report) check() []check {
	var all []check
	for _, t := range targets {
		for _, us := range r.results {
			if us.program != ours || !strings.HasPrefix(us.label, t.label) || !strings.HasPrefix(us.measure, t.measure) {
				continue
			}
			c := check{want: us.label + ", " + us.measure, limits: t.limits}
			if t.than == "" {
				most := result{value: t.most, unit: us.unit}
				c.want += ": at most " + most.String()
				c.found, c.met = us.String(), us.value <= t.most && !us.more
			} else {
				them, ok := r.find(us.label, us.measure, t.than)
				if !ok {
					continue
				}
				c.want += fmt.Sprintf(": at most %.2g of %s", t.most, t.than)
				c.found, c.met = fmt.Sprintf("%.2g", us.value/them.value), us.value <= t.most*them.value && !us.more
			}
			all = append(all, c)
		}
	}
	return all
}
