package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// The programs, as the report names them.
const (
	ours   = "inosyncd"
	lsyncd = "lsyncd"
	calm   = "lsyncd, 15 s" // with its default delay
	plain  = "rsync -a"

	// eager is inosyncd with five pushes a second to a node. In the report
	// it is inosyncd, in a scenario of its own.
	eager = "inosyncd, push_rate 5"
)

// excludes are the same in every program.
var excludes = []string{"*.tmp", "/cache/"}

// inosyncdConf has no delay, as lsyncdConf, and lets the pushes to ten nodes
// run at once, as who has ten nodes would. pace is push_rate, 0 its default.
func inosyncdConf(dir, rsync string, s *site, pace int) string {
	rate := ""
	if pace > 0 {
		rate = fmt.Sprintf("push_rate: %d\n", pace)
	}
	var nodes []string
	for _, n := range s.nodes {
		nodes = append(nodes, n.yaml)
	}
	return fmt.Sprintf(`wpath: %q
rnodes: [%s]
rexcludes: [%s]
edelay: 0
max_parallel: 16
schedule: ""
rsync: %q
control: %q
%s`, s.source, strings.Join(nodes, ", "), quoted(excludes), rsync, filepath.Join(dir, "control"), rate)
}

// lsyncdConf is lsyncd at its quickest: as many processes as can be of use, and
// over ssh a connection that is kept, which it does not do by itself.
func lsyncdConf(dir, rsync string, s *site, delay int) string {
	var conf strings.Builder
	fmt.Fprintf(&conf, "settings{nodaemon = true, maxProcesses = %d, logfile = %q}\n",
		2*len(s.nodes), filepath.Join(dir, "lsyncd.log"))
	for _, n := range s.nodes {
		rsh := ""
		if n.rsh != "" {
			rsh = fmt.Sprintf(", rsh = %q", n.rsh)
		}
		fmt.Fprintf(&conf, "sync{default.rsync, source = %q, target = %q, delay = %d, exclude = {%s}, "+
			"rsync = {archive = true, binary = %q%s}}\n", s.source, n.target, delay, quoted(excludes), rsync, rsh)
	}
	return conf.String()
}

// rsyncArgs are those of plain rsync to one node.
func rsyncArgs(s *site, n node) []string {
	args := []string{"-a", "--delete"}
	for _, x := range excludes {
		args = append(args, "--exclude="+x)
	}
	if n.rsh != "" {
		args = append(args, "--rsh="+n.rsh)
	}
	return append(args, s.source+"/", n.target)
}

func quoted(list []string) string {
	var q []string
	for _, s := range list {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return strings.Join(q, ", ")
}
