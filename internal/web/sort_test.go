package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/status"
)

// seen are the nodes of the table in their order, by their first letters.
func seen(body string) string {
	var all []string
	for _, m := range regexp.MustCompile(`<th scope="row"[^>]*><a[^>]*>([^<]*)<`).FindAllStringSubmatch(body, -1) {
		all = append(all, m[1][:1])
	}
	return strings.Join(all, " ")
}

func TestSort(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) *time.Time { return status.At(now.Add(-d)) }
	s := open(t, "127.0.0.1:0", &fake{status: status.Status{Mirrors: []status.Mirror{{Name: "www", Nodes: []status.Node{
		{Node: "well", State: status.Success, InSync: true, LastSuccess: at(time.Minute), BytesSent: 9},
		{Node: "late", State: status.Success, LagSeconds: 12, Pending: 3, LastSuccess: at(time.Hour)},
		{Node: "busy", State: status.Syncing, LagSeconds: 0.4, Pending: 1, LastSuccess: at(time.Second)},
		{Node: "failed", State: status.Failed, LagSeconds: 70, Pending: 2, LastError: new("e"), LastSuccess: at(2 * time.Hour)},
		{Node: "trying", State: status.Syncing, LagSeconds: 90, Pending: 2, LastError: new("e")},
		{Node: "held", State: status.Held, Held: &status.Hold{Reason: "r"}},
		{Node: "differs", State: status.Success, InSync: true, Verification: &status.Verification{Differences: 1}},
		{Node: "Off", State: status.Held, Disabled: true},
	}}}}})
	for _, tt := range []struct{ query, want, sorted string }{
		{"", "h t f d l w b O", "State"},
		{"?sort=nonsense&dir=down", "h t f d l w b O", "State"},
		{"?sort=state&dir=down", "O w b l d f t h", "State"},
		{"?sort=lag&dir=down", "t f l b w h d O", "Lag"},
		{"?sort=pending&dir=down", "l f t b w h d O", "Pending"},
		{"?sort=node", "b d f h l O t w", "Node"},
		{"?sort=push", "t h d O f l w b", "Last push"},
		{"?sort=sent&dir=down", "w l b f t h d O", "Sent"},
	} {
		_, body := ask(t, http.MethodGet, s.URL()+tt.query, nil, nil)
		if got := seen(body); got != tt.want {
			t.Errorf("GET /%s: got %s, want %s", tt.query, got, tt.want)
		}
		sorted := regexp.MustCompile(`aria-sort="\w+"><a href="[^"]*">([^<]*)<`).FindAllStringSubmatch(body, -1)
		if len(sorted) != 1 || sorted[0][1] != tt.sorted {
			t.Errorf("GET /%s: got %q said to be sorted, want %s", tt.query, sorted, tt.sorted)
		}
	}
}

// A second click on a heading turns the order.
func TestSortTurns(t *testing.T) {
	for _, c := range columns {
		first, second := "", ""
		for _, h := range order(nil, url.Values{}) {
			if h.Key == c.Key && c.Key != "state" {
				first = h.Link
			}
		}
		if first == "" {
			continue
		}
		u, err := url.Parse(first)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range order(nil, u.Query()) {
			if h.Key == c.Key {
				second = h.Link
			}
		}
		if strings.Contains(first, "dir=down") == strings.Contains(second, "dir=down") {
			t.Errorf("%s: got the links %s and then %s, want the other way", c.Key, first, second)
		}
	}
}
