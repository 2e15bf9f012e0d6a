package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

var page = template.Must(template.ParseFS(assets, "assets/page.html"))

// view is the page.
type view struct {
	Version string
	Started string
	Summary string
	Note    string // why there are no buttons
	Rows    []row
}

// row is a node on the page. It can be compared: one that is equal needs not be
// made again.
type row struct {
	ID             int
	Mirror, Node   string // as they are shown
	State          status.State
	Rank           int // trouble first
	InSync         string
	Lag            string
	LagSeconds     float64
	Pending        int
	Push, FullSync when
	Bytes          string
	BytesSent      int64
	Trouble        trouble
	Form           form
}

// when is a time; zero for never.
type when struct {
	Text, Machine string
	Unix          int64
}

type trouble struct {
	Reason, Cure, Error string
	Since, Next         when
}

// form is what a button sends. It has the names as they are shown: a browser
// would change some of the bytes that a name can have.
type form struct {
	Token, Mirror, Node string
	Orders              [4]control.Order // the rest is empty
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "page.html", s.view(s.mayOrder(r))); err != nil {
		http.Error(w, "making the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// view is the page now, without buttons when readOnly says why.
func (s *Server) view(readOnly error) view {
	st := s.daemon.Status()
	v := view{Version: visible(st.Version), Started: at(&st.Started).Text}
	if readOnly != nil {
		v.Note = readOnly.Error()
	}
	inSync, all := 0, 0
	for _, m := range st.Mirrors {
		for _, n := range m.Nodes {
			r := newRow(m, n)
			r.ID = len(v.Rows)
			if s.daemon.Runs(control.Node{Mirror: m.Name, Node: n.Node}) {
				all++
				if n.InSync {
					inSync++
				}
				if readOnly == nil {
					r.Form = form{Token: s.token, Mirror: r.Mirror, Node: r.Node}
					copy(r.Form.Orders[:], s.daemon.Orders(m, n))
				}
			}
			v.Rows = append(v.Rows, r)
		}
	}
	v.Summary = fmt.Sprintf("%d of %d nodes in sync", inSync, all)
	return v
}

var ranks = map[status.State]int{status.Held: 0, status.Failed: 1, status.Pending: 2, status.Syncing: 3, status.Success: 4}

func newRow(m status.Mirror, n status.Node) row {
	r := row{
		Mirror: visible(m.Name), Node: visible(n.Node),
		State: n.State, Rank: ranks[n.State], InSync: "no",
		Lag: lag(n.LagSeconds), LagSeconds: n.LagSeconds, Pending: n.Pending,
		Push: at(n.LastSuccess), FullSync: at(n.LastFullSync),
		Bytes: size(n.BytesSent), BytesSent: n.BytesSent,
	}
	if n.InSync {
		r.InSync = "yes"
	}
	if n.Held != nil {
		r.Trouble.Reason, r.Trouble.Cure = visible(n.Held.Reason), visible(n.Held.Cure)
	}
	if n.LastError != nil {
		r.Trouble.Error, r.Trouble.Since = visible(*n.LastError), at(n.LastFailure)
	}
	r.Trouble.Next = at(n.NextTry)
	return r
}

// at is a time in UTC.
func at(t *time.Time) when {
	if t == nil || t.IsZero() {
		return when{}
	}
	u := t.UTC()
	return when{u.Format(time.DateTime), u.Format(time.RFC3339), u.UnixMilli()}
}

// lag is an age in seconds, as precise as one needs it.
func lag(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d == 0:
		return ""
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
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
