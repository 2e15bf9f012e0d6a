package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// column is one of the table's.
type column struct {
	Key, Title string
	Class      string
	down       bool // at the first click what is largest comes first
	compare    func(a, b *row) int
}

// columns are all but the last, which has the buttons and no title. The script
// sorts by the same: by data-sort where a cell has it, else by the text.
var columns = []column{
	{Key: "mirror", Title: "Mirror", compare: by(func(r *row) string { return strings.ToLower(r.Mirror) })},
	{Key: "node", Title: "Node", compare: by(func(r *row) string { return strings.ToLower(r.Node) })},
	{Key: "state", Title: "State", compare: by(func(r *row) int64 { return r.Attention })},
	{Key: "lag", Title: "Lag", Class: "number", down: true, compare: by(func(r *row) float64 { return r.LagSeconds })},
	{Key: "pending", Title: "Pending", Class: "number", down: true, compare: by(func(r *row) int { return r.Pending })},
	{Key: "trouble", Title: "Problem and cure", compare: by(func(r *row) int64 { return r.Attention })},
	{Key: "push", Title: "Last push", compare: by(func(r *row) int64 { return r.Push.Unix })},
	{Key: "full", Title: "Full sync", compare: by(func(r *row) int64 { return r.FullSync.Unix })},
	{Key: "verified", Title: "Verified", compare: by(func(r *row) int64 { return r.Verified.When.Unix })},
	{Key: "sent", Title: "Sent", Class: "number", down: true, compare: by(func(r *row) int64 { return r.BytesSent })},
	{Key: "hour", Title: "Last hour", Class: "number", down: true, compare: by(func(r *row) int64 { return r.HourBytes })},
}

func by[T cmp.Ordered](key func(*row) T) func(a, b *row) int {
	return func(a, b *row) int { return cmp.Compare(key(a), key(b)) }
}

// heading is a column on the page.
type heading struct {
	*column
	Link   string // sorts by it; "" on the page of a node
	Sorted string // aria-sort; "" when the table is sorted by another
}

// order sorts rows as the query says, by attention when it says nothing that is
// known, and returns the headings for it.
func order(rows []row, query url.Values) []heading {
	at := slices.IndexFunc(columns, func(c column) bool { return c.Key == query.Get("sort") })
	down := query.Get("dir") == "down"
	if at < 0 {
		at, down = slices.IndexFunc(columns, func(c column) bool { return c.Key == "state" }), false
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if down {
			return columns[at].compare(&b, &a)
		}
		return columns[at].compare(&a, &b)
	})
	all := make([]heading, len(columns))
	for i := range columns {
		c := &columns[i]
		h := heading{column: c}
		next := c.down
		if i == at {
			next = !down
			h.Sorted = "ascending"
			if down {
				h.Sorted = "descending"
			}
		}
		h.Link = "/?sort=" + c.Key
		if next {
			h.Link += "&dir=down"
		}
		all[i] = h
	}
	return all
}
