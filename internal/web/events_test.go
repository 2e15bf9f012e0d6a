package web

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/lab/labtest"
)

// stream opens the event stream and returns its messages, until ctx is done.
func stream(ctx context.Context, t *testing.T, url string) <-chan message {
	t.Helper()
	return streamOf(ctx, t, url+"events")
}

func streamOf(ctx context.Context, t *testing.T, url string) <-chan message {
	t.Helper()
	transport := &http.Transport{}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("GET /events: got %d %s, want a stream", resp.StatusCode, got)
	}
	messages := make(chan message, 10)
	go func() {
		defer close(messages)
		defer resp.Body.Close()
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			var m message
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &m) == nil {
				messages <- m
			}
		}
	}()
	return messages
}

func next(t *testing.T, messages <-chan message) message {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("GET /events: got its end, want a message")
		}
		return m
	case <-time.After(labtest.Limit):
		t.Fatal("GET /events: got nothing, want a message")
	}
	return message{}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	f := &fake{status: sample()}
	s := open(t, "127.0.0.1:0", f)
	messages := stream(t.Context(), t, s.URL())
	m := next(t, messages)
	if !m.All || len(m.Rows) != 4 || !strings.HasPrefix(m.Summary, "1 of 3 nodes in sync; ") {
		t.Errorf("first: got %+v, want the whole table", m)
	}

	changed := sample()
	changed.Mirrors[0].Nodes[1].Pending = 5
	f.set(changed)
	m = next(t, messages)
	if m.All || len(m.Rows) != 1 || !strings.Contains(m.Rows[0], `<tr id="n1">`) || !strings.Contains(m.Rows[0], `data-sort="5"`) {
		t.Errorf("after a change: got %+v, want its row", m)
	}

	changed = sample()
	changed.Mirrors = changed.Mirrors[1:]
	f.set(changed)
	m = next(t, messages)
	if !m.All || len(m.Rows) != 2 || !strings.HasPrefix(m.Summary, "0 of 1 nodes in sync; ") {
		t.Errorf("after a reload: got %+v, want the whole table", m)
	}

	if err := s.Close(); err != nil {
		t.Errorf("Close(): %v", err)
	}
	if _, ok := <-messages; ok {
		t.Error("after Close(): got a message, want the end")
	}
}

// A stream outlives the limits that other requests have.
func TestEventsOutliveTheLimits(t *testing.T) {
	t.Parallel()
	f := &fake{status: sample()}
	short := httptest.NewUnstartedServer(open(t, "127.0.0.1:0", f).routes())
	short.Config.ReadTimeout, short.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	short.Start()
	ctx, cancel := context.WithCancel(t.Context())
	defer short.Close()
	defer cancel()
	messages := stream(ctx, t, short.URL+"/")
	next(t, messages)
	changed := sample()
	for i := range 2 { // each a second later
		changed.Mirrors[0].Nodes = append(changed.Mirrors[0].Nodes, changed.Mirrors[0].Nodes[0])
		f.set(changed)
		if m := next(t, messages); len(m.Rows) != 5+i {
			t.Errorf("message %d: got %d rows, want %d", i, len(m.Rows), 5+i)
		}
	}
}

func TestTooManyStreams(t *testing.T) {
	t.Parallel()
	s := open(t, "127.0.0.1:0", &fake{status: sample()})
	for range maxStreams {
		next(t, stream(t.Context(), t, s.URL()))
	}
	resp, body := ask(t, "GET", s.URL()+"events", nil, nil)
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("GET /events number %d: got %d %s, want 503", maxStreams+1, resp.StatusCode, body)
	}
	if resp, _ := ask(t, "GET", s.URL(), nil, nil); resp.StatusCode != 200 {
		t.Errorf("GET / with all streams taken: got %d, want 200", resp.StatusCode)
	}
}
