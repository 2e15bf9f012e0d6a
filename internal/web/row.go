package web

import (
	"fmt"
	"time"

	"inosyncd/internal/control"
	"inosyncd/internal/status"
)

// row is a node on the page. It can be compared: one that is equal needs not be
// made again.
type row struct {
	ID             int
	Mirror, Node   string // as they are shown
	State          status.State
	Attention      int64 // what needs somebody most has the least
	InSync, Off    bool
	Lag            string // "" when there is none
	LagSeconds     float64
	Pending        int
	Push, FullSync when
	Verified       verified
	Bytes          string
	BytesSent      int64
	Hour           string // bytes sent in the last hour
	HourBytes      int64
	Most           string // in a minute
	Chart          string // of the minutes: a path
	Trouble        trouble
	Form           form
}

// trouble is why a node needs somebody, and what is to be done.
type trouble struct {
	Reason, Cure string
	Since, Next  when // of a failure
}

// verified is how the last verification of a node ended.
type verified struct {
	Running bool
	Found   string // "3 differ", "failed"; "" when all is equal or it never ran
	When    when   // the last that was complete
}

// form is what a button sends. It has the names as they are shown: a browser
// would change some of the bytes that a name can have.
type form struct {
	Token  string
	Orders [5]control.Order // the rest is empty
}

func newRow(m status.Mirror, n status.Node, h hour, now time.Time) row {
	sum, most := h.sum()
	r := row{
		Mirror: visible(m.Name), Node: visible(n.Node),
		State: n.State, Attention: attention(n), InSync: n.InSync, Off: n.Disabled,
		LagSeconds: n.LagSeconds, Pending: n.Pending,
		Push: at(n.LastSuccess, now), FullSync: at(n.LastFullSync, now),
		Verified: newVerified(n, now),
		Bytes:    size(n.BytesSent), BytesSent: n.BytesSent,
		Hour: size(sum), HourBytes: sum, Most: size(most), Chart: h.chart(),
	}
	if n.LagSeconds > 0 {
		r.Lag = status.Lag(n.LagSeconds)
	}
	if n.Held != nil || n.LastError != nil {
		reason, cure := n.Trouble()
		r.Trouble.Reason, r.Trouble.Cure = visible(reason), visible(cure)
	}
	if n.LastError != nil {
		r.Trouble.Since = at(n.LastFailure, now)
	}
	r.Trouble.Next = at(n.NextTry, now)
	return r
}

func newVerified(n status.Node, now time.Time) verified {
	v := verified{When: at(n.LastVerified, now)}
	if last := n.Verification; last != nil {
		switch {
		case last.Running:
			v.Running = true
		case last.Error != nil:
			v.Found = "failed"
		case last.Differences > 0:
			v.Found = fmt.Sprintf("%d differ", last.Differences)
		}
	}
	return v
}

// attention orders nodes by how much they need somebody: what waits for a person
// first, then what fails, what is not what it should be, and what is late. Lag
// that every push has does not count, or rows would never be at rest.
func attention(n status.Node) int64 {
	const most = 1e9
	late := int64(0)
	if n.LagSeconds >= 10 {
		late = int64(min(n.LagSeconds, most-1))
	}
	rank := int64(4)
	switch v := n.Verification; {
	case n.Disabled:
		rank = 5
	case n.State == status.Held:
		rank = 0
	case n.LastError != nil:
		rank = 1
	case v != nil && !v.Running && (v.Error != nil || v.Differences > 0):
		rank = 2
	case late > 0 || n.State == status.Pending:
		rank = 3
	}
	return rank*most - late
}
