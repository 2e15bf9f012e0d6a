package web

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"inosyncd/internal/control"
)

var (
	sameOrigin = http.NewCrossOriginProtection() // by Sec-Fetch-Site, or by Origin and Host
	orders     = []control.Order{control.Pause, control.Resume, control.Resync, control.Approve, control.Verify}
	errSeen    = errors.New("what is held is not what the page has shown: look again")
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
	n, _ := s.named(r.PostForm.Get("mirror"), r.PostForm.Get("node")) // the daemon says that there is none
	if !slices.Contains(orders, o) {
		http.Error(w, "no such order", http.StatusBadRequest)
		return
	}
	if o == control.Approve && s.heldFor(n) != r.PostForm.Get("seen") {
		http.Error(w, errSeen.Error(), http.StatusConflict)
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
	http.Redirect(w, r, back(r), http.StatusSeeOther)
}

// heldFor is why a node is held now, as the page shows it: an approval is for
// what the person has seen.
func (s *Server) heldFor(name control.Node) string {
	for _, m := range s.daemon.Status().Mirrors {
		for _, n := range m.Nodes {
			if m.Name == name.Mirror && n.Node == name.Node && n.Held != nil {
				return visible(n.Held.Reason)
			}
		}
	}
	return ""
}

// back is the page that the order came from, as far as it is one of ours.
func back(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host || u.Path != "/node" && u.Path != "/" {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}

// named is the node of which the page shows these names.
func (s *Server) named(mirror, node string) (n control.Node, ok bool) {
	for _, m := range s.daemon.Status().Mirrors {
		for _, n := range m.Nodes {
			if visible(m.Name) == mirror && visible(n.Node) == node {
				return control.Node{Mirror: m.Name, Node: n.Node}, true
			}
		}
	}
	return control.Node{Mirror: mirror, Node: node}, false
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
