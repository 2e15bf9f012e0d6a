package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"inosyncd/internal/status"
)

// headings are those of the table of nodes.
var headings = [...]string{"MIRROR", "NODE", "STATE", "IN SYNC", "LAG", "PENDING", "LAST PUSH"}

// The columns that are looked at by number.
const (
	nodeColumn  = 1
	stateColumn = 2
	leastNode   = 16 // columns that a node's name is left with
	columnGap   = 2
)

// row is a line of the table, and what is said below it.
type row struct {
	cells   [len(headings)]string
	colour  string // of the state
	details []string
}

// printStatus writes how all stand, in a line, and a table with a line for each
// node, and below the line of one that is in trouble what the trouble is.
func printStatus(w io.Writer, s status.Status, t terminal, now time.Time) {
	fmt.Fprintf(w, "inosyncd %s, process %d, started %s\n", printable(s.Version), s.PID, clock(&s.Started))
	fmt.Fprintf(w, "%s\n\n", t.wrap(cell(s.Summary()), ""))
	rows := []row{{cells: headings}}
	for _, m := range s.Mirrors {
		for _, n := range m.Nodes {
			rows = append(rows, nodeRow(m, n, now))
		}
	}
	widths := columnWidths(rows, t)
	for _, r := range rows {
		fmt.Fprintln(w, r.line(widths, t))
		for _, d := range r.details {
			fmt.Fprintln(w, t.wrap(cell(d), "    "))
		}
	}
}

func nodeRow(m status.Mirror, n status.Node, now time.Time) row {
	r := row{details: trouble(n), cells: [...]string{
		cell(m.Name), cell(n.Node), string(n.State), yesNo(n.InSync),
		lag(n.LagSeconds), strconv.Itoa(n.Pending), recent(n.LastSuccess, now),
	}}
	switch {
	case n.Disabled:
	case n.State == status.Failed, n.State == status.Held:
		r.colour = red
	case n.InSync:
		r.colour = green
	default:
		r.colour = yellow
	}
	return r
}

// columnWidths are the widths of the columns. Names of nodes make room where
// the table would be wider than the terminal.
func columnWidths(rows []row, t terminal) [len(headings)]int {
	var widths [len(headings)]int
	total := columnGap * (len(headings) - 1)
	for i := range headings {
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r.cells[i]))
		}
		total += widths[i]
	}
	if excess := total - t.width; t.width > 0 && excess > 0 {
		least := min(leastNode, widths[nodeColumn])
		widths[nodeColumn] = max(least, widths[nodeColumn]-excess)
	}
	return widths
}

func (r row) line(widths [len(headings)]int, t terminal) string {
	var b strings.Builder
	for i, text := range r.cells {
		if i == nodeColumn {
			text = clip(text, widths[i])
		}
		blanks := widths[i] + columnGap - utf8.RuneCountInString(text)
		if i == stateColumn {
			text = t.paint(text, r.colour)
		}
		b.WriteString(text)
		if i < len(r.cells)-1 {
			b.WriteString(strings.Repeat(" ", blanks))
		}
	}
	return b.String()
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

// recent is a time of day, or the date of another day.
func recent(t *time.Time, now time.Time) string {
	if t == nil {
		return "never"
	}
	text := t.Local().Format(time.DateTime)
	date, hour, _ := strings.Cut(text, " ")
	if date == now.Local().Format(time.DateOnly) {
		return hour
	}
	return date
}

// trouble are lines about a node that failed or is held: why, until when, and
// what can be done; and about one that was not what it should have been.
func trouble(n status.Node) []string {
	var lines []string
	if d := n.Drift; d != nil {
		lines = append(lines, fmt.Sprintf("drift repaired: created %d, updated %d, attributes %d, deleted %d (%s)",
			d.Created, d.Updated, d.Attributes, d.Deleted, clock(&d.At)))
	}
	if v := n.Verification; v != nil && v.Ended != nil && v.Differences > 0 {
		lines = append(lines, fmt.Sprintf("verification: %d entries differ (%s); resync makes them equal", v.Differences, clock(v.Ended)))
	}
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
