package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result is what one program did in one scenario.
type result struct {
	scenario, measure, program string

	value float64
	unit  string
}

type report struct{ results []result }

// add adds a result; results of one scenario and measure are compared.
func (r *report) add(scenario, measure, program string, value float64, unit string) {
	r.results = append(r.results, result{scenario, measure, program, value, unit})
}

// print writes a line for each comparison: the first program's value, and for
// the others how many times as much theirs is.
func (r *report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	for i, base := range r.results {
		if slices.IndexFunc(r.results, base.sameMeasure) != i {
			continue // is in the line of an earlier one
		}
		fmt.Fprintf(w, "%s\t%s\t%s %v", base.scenario, base.measure, base.program, base)
		for _, res := range r.results[i+1:] {
			if res.sameMeasure(base) {
				fmt.Fprintf(w, "\t%s %s (%v)", res.program, res.times(base), res)
			}
		}
		fmt.Fprintln(w)
	}
}

func (r result) sameMeasure(o result) bool {
	return r.scenario == o.scenario && r.measure == o.measure
}

// times is the ratio of two values of one measure.
func (r result) times(base result) string {
	if base.value == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2g x", r.value/base.value)
}

func (r result) String() string { return strings.TrimSpace(fmt.Sprintf("%.4g %s", r.value, r.unit)) }

// median sorts d.
func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
