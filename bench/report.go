package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// result is what one program did in one scenario.
type result struct {
	label, measure, program string

	value float64
	unit  string
	more  bool // it was not finished then
}

type report struct{ results []result }

// add adds a result; results of one label and measure are compared.
func (r *report) add(res result) { r.results = append(r.results, res) }

// find returns the result of a program beside that of another.
func (r *report) find(label, measure, program string) (result, bool) {
	i := slices.IndexFunc(r.results, func(o result) bool {
		return o.label == label && o.measure == measure && o.program == program
	})
	if i < 0 {
		return result{}, false
	}
	return r.results[i], true
}

// table has a line for each comparison: how many times as much the others'
// values are, and then the values.
func (r *report) table() string {
	t := table{{"scenario", "measure", "lsyncd is", "rsync -a is", ours, lsyncd, calm, plain}}
	for i, base := range r.results {
		same := func(o result) bool { return o.label == base.label && o.measure == base.measure }
		if slices.IndexFunc(r.results, same) != i {
			continue // is in the line of an earlier one
		}
		row := []string{base.label, base.measure}
		us, _ := r.find(base.label, base.measure, ours)
		for _, name := range []string{lsyncd, plain} {
			res, ok := r.find(base.label, base.measure, name)
			row = append(row, cell(ok, res.times(us)))
		}
		for _, name := range []string{ours, lsyncd, calm, plain} {
			res, ok := r.find(base.label, base.measure, name)
			row = append(row, cell(ok, res.String()))
		}
		t = append(t, row)
	}
	return t.String()
}

func cell(ok bool, text string) string {
	if !ok {
		return ""
	}
	return text
}

// times is the ratio of two values of one measure.
func (r result) times(base result) string {
	if base.value <= 0 {
		return ""
	}
	return r.sign() + fmt.Sprintf("%.2g", r.value/base.value) + " ×"
}

func (r result) String() string {
	digits := 0
	if r.value < 10 && r.value != float64(int(r.value)) {
		digits = 1
	}
	return strings.TrimSpace(r.sign() + strconv.FormatFloat(r.value, 'f', digits, 64) + " " + r.unit)
}

func (r result) sign() string {
	if r.more {
		return "> "
	}
	return ""
}

// table is a table of Markdown whose first row has the headings.
type table [][]string

func (t table) String() string {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var out strings.Builder
	for n, row := range t {
		for i, cell := range row {
			fmt.Fprintf(&out, "| %-*s ", widths[i], cell)
		}
		out.WriteString("|\n")
		if n > 0 {
			continue
		}
		for _, width := range widths {
			out.WriteString("|" + strings.Repeat("-", width+2))
		}
		out.WriteString("|\n")
	}
	return out.String()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// number writes n with commas.
func number(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", number(n/1000), n%1000)
}

// count writes n things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return number(n) + " " + thing
}
