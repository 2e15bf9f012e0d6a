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
	All     bool     `json:"all"`
	Rows    []string `json:"rows"` // HTML, each with its id
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
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	readOnly := s.mayOrder(r)
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	var last view
	var sent time.Time
	for {
		now := s.view(readOnly)
		text, err := event(last, now)
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

// event is what makes the page last into the page now; empty when they are
// equal.
func event(last, now view) ([]byte, error) {
	m := message{Summary: now.Summary, All: len(last.Rows) != len(now.Rows), Rows: []string{}}
	for i, r := range now.Rows {
		if !m.All && r == last.Rows[i] {
			continue
		}
		var b bytes.Buffer
		if err := page.ExecuteTemplate(&b, "row", r); err != nil {
			return nil, fmt.Errorf("making a row: %w", err)
		}
		m.Rows = append(m.Rows, b.String())
	}
	if !m.All && len(m.Rows) == 0 && last.Summary == now.Summary {
		return nil, nil
	}
	text, err := json.Marshal(m) // has no line break
	return fmt.Appendf(nil, "data: %s\n\n", text), err
}
