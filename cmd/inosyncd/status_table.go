package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"inosyncd/internal/status"
)

// printStatus writes a table with a line for each node, and below the line of
// one that is in trouble what the trouble is.
func printStatus(w io.Writer, s status.Status) {
	fmt.Fprintf(w, "inosyncd %s, process %d, started %s\n", printable(s.Version), s.PID, clock(&s.Started))
	fmt.Fprintf(w, "%s\n\n", cell(s.Summary()))
	var table bytes.Buffer
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MIRROR\tNODE\tSTATE\tIN SYNC\tLAG\tPENDING\tLAST PUSH")
	details := [][]string{nil} // of each line
	for _, m := range s.Mirrors {
		for _, n := range m.Nodes {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", cell(m.Name), cell(n.Node), n.State,
				yesNo(n.InSync), lag(n.LagSeconds), n.Pending, clock(n.LastSuccess))
			details = append(details, trouble(n))
		}
	}
	_ = t.Flush() // of a buffer
	i := 0
	for line := range strings.Lines(table.String()) {
		fmt.Fprint(w, line)
		for _, d := range details[i] {
			fmt.Fprintf(w, "    %s\n", cell(d))
		}
		i++
	}
}

// cell is text without an end of a cell or a line in it.
func cell(s string) string { return strings.ReplaceAll(printable(s), "\n", `\n`) }

// lag is an age in seconds, "-" for none.
func lag(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return status.Lag(seconds)
}

// trouble are lines about a node that failed or is held: why, until when, and
// what can be done.
func trouble(n status.Node) []string {
	var lines []string
	if n.Held != nil {
		lines = append(lines, "reason: "+n.Held.Reason)
	}
	if n.LastError != nil {
		since := ""
		if n.LastFailure != nil {
			since = " (" + clock(n.LastFailure) + ")"
		}
		lines = append(lines, "error: "+*n.LastError+since)
	}
	if n.NextTry != nil {
		lines = append(lines, "next try: "+clock(n.NextTry))
	}
	switch {
	case n.Held != nil && n.Held.Cure != "":
		lines = append(lines, "cure: "+n.Held.Cure)
	case n.Held == nil && n.LastError != nil && n.Cure != nil:
		lines = append(lines, "cure: "+*n.Cure)
	}
	return lines
}
