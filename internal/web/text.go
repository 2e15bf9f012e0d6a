package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// when is a time; the zero value is never.
type when struct {
	Text    string // how long ago, or in how long
	Exact   string // UTC
	Machine string
	Unix    int64 // milliseconds
}

// at is t as it is seen at now.
func at(t *time.Time, now time.Time) when {
	if t == nil || t.IsZero() {
		return when{}
	}
	u := t.UTC()
	return when{ago(*t, now), u.Format(time.DateTime), u.Format(time.RFC3339), u.UnixMilli()}
}

// ago is a time as seen at now. Of the past it changes once a minute, so that a
// page that is kept up to date is not always changing.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 0:
		return "in " + span(-d)
	case d < time.Minute:
		return "just now"
	}
	return span(d) + " ago"
}

// span is a length of time in its largest unit.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/day)
}

// size is a number of bytes with three digits or four.
func size(n int64) string {
	const units = "KMGTPE"
	f, i := float64(n), -1
	for ; f >= 1024 && i < len(units)-1; i++ {
		f /= 1024
	}
	switch {
	case i < 0:
		return fmt.Sprintf("%d B", n)
	case f < 10:
		return fmt.Sprintf("%.1f %ciB", f, units[i])
	}
	return fmt.Sprintf("%.0f %ciB", f, units[i])
}

// visible is text with its control bytes escaped.
func visible(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
