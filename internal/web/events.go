package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// heartbeat is how often something is sent, so that a client that is gone is
// noticed.
const heartbeat = 15 * time.Second

// message brings a page up to date: the rows that have changed, or all of them
// when their number has.
type message struct {
	Summary string   `json:"summary"`
	Well    bool     `json:"well"`
	All     bool     `json:"all"`
	Rows    []string `json:"rows"`   // HTML, each with its id
	Detail  string   `json:"detail"` // HTML; empty when it is as before
}

// shown is what a page has been told.
type shown struct {
	view   view
	detail string // HTML
}

// events keeps a page up to date until its reader or the server goes.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	q := question{readOnly: s.mayOrder(r)}
	if r.URL.RawQuery != "" {
		n, err := s.asked(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		q.only = &n
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	var last shown
	var sent time.Time
	for {
		text, now, err := event(last, s.view(q))
		if len(text) == 0 && time.Since(sent) >= heartbeat {
			text = []byte(":\n\n") // a comment (HTML standard, 9.2.6)
		}
		if len(text) > 0 && err == nil {
			err = send(w, out, text)
			sent = time.Now()
		}
		if err != nil {
			return
		}
		last = now
		select {
		case <-tick.C:
			if s.key.Load() != entered(r) {
				return // another token is asked for
			}
		case <-r.Context().Done():
			return
		}
	}
}

func send(w http.ResponseWriter, out *http.ResponseController, text []byte) error {
	// The server's own limit is for answers that end. That for reading is
	// over: net/http lifts it once a request is read.
	if err := out.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return out.Flush()
}

// event is what makes the page last into the page v; empty when they are equal.
func event(last shown, v view) (text []byte, now shown, err error) {
	now = shown{view: v}
	was := last.view
	m := message{Summary: v.Summary, Well: v.Well, All: len(was.Rows) != len(v.Rows), Rows: []string{}}
	for i, r := range v.Rows {
		if !m.All && r == was.Rows[i] {
			continue
		}
		html, err := render("row", r)
		if err != nil {
			return nil, now, err
		}
		m.Rows = append(m.Rows, html)
	}
	if v.Detail != nil {
		if now.detail, err = render("detail", v.Detail); err != nil {
			return nil, now, err
		}
		if now.detail != last.detail {
			m.Detail = now.detail
		}
	}
	if !m.All && len(m.Rows) == 0 && m.Detail == "" && was.Summary == m.Summary {
		return nil, now, nil
	}
	var b bytes.Buffer
	b.WriteString("data: ")
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // which would make it half as long again
	err = e.Encode(m)      // one line, with its end
	b.WriteByte('\n')
	return b.Bytes(), now, err
}

func render(part string, of any) (string, error) {
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, part, of); err != nil {
		return "", fmt.Errorf("making a part of the page: %w", err)
	}
	return b.String(), nil
}
