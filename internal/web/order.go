package web

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"

	"inosyncd/internal/control"
)

var (
	sameOrigin = http.NewCrossOriginProtection() // by Sec-Fetch-Site, or by Origin and Host
	orders     = []control.Order{control.Pause, control.Resume, control.Resync, control.Approve, control.Verify}
	errToken   = errors.New("the page is older than the daemon: load it again")
)

// order carries out what a button asks for, and shows the page again.
func (s *Server) order(w http.ResponseWriter, r *http.Request) {
	if err := s.genuine(w, r); err != nil {
		s.log.Warn("order on the web page refused", "err", err)
		w.Header().Set("Connection", "close") // the form may not have been read
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	o := control.Order(r.PostForm.Get("order"))
	n := s.named(r.PostForm.Get("mirror"), r.PostForm.Get("node"))
	if !slices.Contains(orders, o) {
		http.Error(w, "no such order", http.StatusBadRequest)
		return
	}
	if err := s.daemon.Order(o, n); err != nil {
		code := http.StatusConflict
		if _, ok := errors.AsType[*control.UsageError](err); ok {
			code = http.StatusNotFound
		}
		http.Error(w, visible(err.Error()), code)
		return
	}
	s.log.Info("order on the web page", "order", string(o), "mirror", n.Mirror, "node", n.Node)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// named is the node of which the page shows these names.
func (s *Server) named(mirror, node string) control.Node {
	for _, m := range s.daemon.Status().Mirrors {
		for _, n := range m.Nodes {
			if visible(m.Name) == mirror && visible(n.Node) == node {
				return control.Node{Mirror: m.Name, Node: n.Node}
			}
		}
	}
	return control.Node{Mirror: mirror, Node: node} // the daemon says that there is none
}

// genuine returns why an order is not one that a person has given on the page.
func (s *Server) genuine(w http.ResponseWriter, r *http.Request) error {
	if err := s.mayOrder(r); err != nil {
		return err
	}
	if err := sameOrigin.Check(r); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(s.token)) != 1 {
		return errToken
	}
	return nil
}
