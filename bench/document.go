package main

import (
	"fmt"
	"strings"
	"time"
)

const opening = `# Benchmarks

This file is written by ` + "`make bench`" + `; ` + "`go run ./bench -h`" + ` lists the sizes. Measured on %s:
%s.

All programs run one after another on the same trees and the same nodes, with
inosyncd at the rate limits that it has by default. The nodes are stock servers
on loopback, one for each node and all on this machine: what they use is taken
from the programs, and the network adds nothing.

* inosyncd has ` + "`edelay: 0`" + ` and, for the sake of ten nodes, ` + "`max_parallel: 16`" + `.
* lsyncd has ` + "`delay = 0`" + `, as many processes as can be of use and, over ssh, a
  connection that is kept (ControlMaster). "lsyncd, 15 s" has its default delay.
* ` + "`rsync -a --delete`" + ` is started at once for each node when a change has been
  made: a comparison of the whole tree by somebody who need not notice.

A time runs from before the write until the last node has the new content under
the file's name. CPU is that of a program and of all processes that it starts,
not of the servers at the nodes; a local node has none. It is counted in steps of
10 ms, and what the machine did otherwise is in all figures. What took longer than
30 s to arrive has a ">". The ratios say how many times as much the others need.

`

// document is the whole report.
func document(m machine, r *report) string {
	var out strings.Builder
	fmt.Fprintf(&out, opening, time.Now().UTC().Format(time.DateOnly), strings.Join(m, "; "))
	out.WriteString("## Results\n\n" + r.table())
	checks := r.check()
	if len(checks) == 0 {
		return out.String()
	}
	goals := table{{"target", "found", ""}}
	var missed []string
	for _, c := range checks {
		if !c.met {
			missed = append(missed, fmt.Sprintf("* **%s**: %s", c.want, c.limits))
		}
		goals = append(goals, []string{c.want, c.found, c.verdict()})
	}
	out.WriteString("\n## Targets\n\n" + goals.String())
	if len(missed) > 0 {
		out.WriteString("\nWhat limits those that are missed:\n\n" + strings.Join(missed, "\n") + "\n")
	}
	return out.String()
}
