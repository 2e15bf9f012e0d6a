package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"inosyncd/internal/control"
)

var page = template.Must(template.ParseFS(assets, "assets/page.html"))

// view is the page of all nodes, or of one.
type view struct {
	Version  string
	Started  when
	Now      string
	Summary  string
	Well     bool   // every node is in sync
	Note     string // why there are no buttons
	Headings []heading
	Rows     []row
	Detail   *detail // of the one node
}

// question is what a page is to show, and to whom.
type question struct {
	readOnly error         // why there are no buttons
	only     *control.Node // on its own page
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	v := s.view(question{readOnly: s.mayOrder(r)})
	v.Headings = order(v.Rows, r.URL.Query())
	show(w, v)
}

func show(w http.ResponseWriter, v view) {
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "page.html", v); err != nil {
		http.Error(w, "making the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// view is the page now, its rows in the order of the configuration.
func (s *Server) view(q question) view {
	st, now := s.daemon.Status(), time.Now()
	s.history.look(st, now)
	tally := st.Tally()
	v := view{
		Version: visible(st.Version), Started: at(&st.Started, now),
		Now: now.UTC().Format(time.DateTime), Summary: visible(st.Summary()), Well: tally.InSync == tally.All,
	}
	if q.readOnly != nil {
		v.Note = q.readOnly.Error()
	}
	id := -1
	for _, m := range st.Mirrors {
		for _, n := range m.Nodes {
			id++
			name := control.Node{Mirror: m.Name, Node: n.Node}
			runs := s.daemon.Runs(name)
			if q.only != nil && *q.only != name {
				continue
			}
			h := s.history.of(name)
			r := newRow(m, n, h, now)
			r.ID = id
			if q.readOnly == nil && runs {
				r.Form.Token = s.token
				copy(r.Form.Orders[:], s.daemon.Orders(m, n))
			}
			v.Rows = append(v.Rows, r)
			if q.only != nil {
				v.Detail = s.detail(name, m, n, &r)
			}
		}
	}
	return v
}

// asked is the node that a query names, as the page shows its names.
func (s *Server) asked(r *http.Request) (control.Node, error) {
	q := r.URL.Query()
	n, ok := s.named(q.Get("mirror"), q.Get("node"))
	if !ok {
		return n, fmt.Errorf("there is no node %.200q of a mirror %.200q", n.Node, n.Mirror)
	}
	return n, nil
}
