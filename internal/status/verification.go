package status

import "time"

// Verification is a comparison of a node with the source, the contents of
// files included, that was asked of the daemon. It changes nothing.
type Verification struct {
	Running bool       `json:"running"` // or waiting for others to end
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended"`

	// Differences are the entries that are not the same; Pending of them were
	// not confirmed by the node anyway. They grow while it runs.
	Differences int          `json:"differences"`
	Pending     int          `json:"pending"`
	First       []Difference `json:"first"` // a few of them

	Error *string `json:"error"` // why it is not complete
	Cure  *string `json:"cure"`  // what a person can do about Error or Differences
}

// Difference is an entry that is not the same on the node as in the source.
type Difference struct {
	Path string `json:"path"` // relative to the source; "." is the root
	Kind string `json:"kind"` // "missing", "extra", or what differs: "content, times"
}
