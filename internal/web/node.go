package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"inosyncd/internal/control"
	"inosyncd/internal/nodelog"
	"inosyncd/internal/status"
)

// detail is what only the page of a node has.
type detail struct {
	Mirror, Node string // as they are shown
	Facts        []fact
	Verified     *verification
	Row          *row
	Log          []entry // the newest first
}

type fact struct{ Name, Value string }

// verification is the last that was asked for.
type verification struct {
	State string
	Cure  string
	First []status.Difference
	More  int // than First has
}

// entry is a line of the log.
type entry struct{ At, Level, Text string }

// node shows one node: how it stands, its last verification, its log.
func (s *Server) node(w http.ResponseWriter, r *http.Request) {
	n, err := s.asked(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	v := s.view(question{readOnly: s.mayOrder(r), only: &n})
	for i := range columns {
		v.Headings = append(v.Headings, heading{column: &columns[i]})
	}
	show(w, v)
}

// nodeLog is the log of one node as a file.
func (s *Server) nodeLog(w http.ResponseWriter, r *http.Request) {
	n, err := s.asked(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", fileName(n)))
	for _, l := range s.daemon.Log(n) {
		e := newEntry(l)
		fmt.Fprintf(w, "%sZ %-5s %s\n", strings.Replace(e.At, " ", "T", 1), e.Level, e.Text)
	}
}

// fileName is a name for a node's log with nothing in it that any system minds.
func fileName(n control.Node) string {
	plain := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '_'
	}
	name := strings.Trim(strings.Map(plain, n.Mirror+"-"+n.Node), "_")
	return "inosyncd-" + name[:min(len(name), 100)] + ".log"
}

func newEntry(l nodelog.Line) entry {
	return entry{l.Time.UTC().Format("2006-01-02 15:04:05.000"), l.Level.String(), l.Text}
}

func (s *Server) detail(name control.Node, m status.Mirror, n status.Node, r *row) *detail {
	exact := func(t *time.Time) string {
		if t == nil {
			return "never"
		}
		return t.UTC().Format(time.DateTime) + " UTC"
	}
	d := &detail{Mirror: r.Mirror, Node: r.Node, Row: r, Verified: newVerification(n.Verification)}
	d.Facts = []fact{
		{"Source", visible(m.WPath)},
		{"Last push", exact(n.LastSuccess)},
		{"Last full sync", exact(n.LastFullSync)},
		{"Last verified", exact(n.LastVerified)},
		{"Bytes sent", size(n.BytesSent)},
		{"Pushes", fmt.Sprint(n.Pushes)},
		{"Failed pushes", fmt.Sprint(n.Failures)},
		{"Entries removed", fmt.Sprint(n.Deleted)},
	}
	if n.LastFailure != nil {
		d.Facts = append(d.Facts, fact{"Last failure", exact(n.LastFailure)})
	}
	if n.Drift != nil {
		d.Facts = append(d.Facts, fact{"Drift repaired by the last full sync", fmt.Sprintf("%d entries, %s", n.Drift.Len(), exact(&n.Drift.At))})
	}
	for _, line := range slices.Backward(s.daemon.Log(name)) {
		d.Log = append(d.Log, newEntry(line))
	}
	return d
}

func newVerification(last *status.Verification) *verification {
	if last == nil {
		return nil
	}
	v := &verification{More: last.Differences - len(last.First)}
	for _, d := range last.First {
		v.First = append(v.First, status.Difference{Path: visible(d.Path), Kind: visible(d.Kind)})
	}
	if last.Cure != nil {
		v.Cure = visible(*last.Cure)
	}
	found := fmt.Sprintf("%d entries differ", last.Differences)
	if last.Pending > 0 {
		found += fmt.Sprintf(", %d of them pending anyway", last.Pending)
	}
	switch {
	case last.Running:
		v.State = "running since " + last.Started.UTC().Format(time.DateTime) + " UTC; so far " + found
	case last.Error != nil:
		v.State = "not complete: " + visible(*last.Error)
	case last.Ended == nil:
	case last.Differences == 0:
		v.State = "no difference at " + last.Ended.UTC().Format(time.DateTime) + " UTC"
	default:
		v.State = found + " at " + last.Ended.UTC().Format(time.DateTime) + " UTC"
	}
	return v
}
