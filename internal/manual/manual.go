// Package manual generates the reference of inosyncd from the tables that the
// program itself uses, so that the two cannot diverge: the man page of the program
// from its command tree, and the man page and JSON schema of the configuration from
// the table of keys.
//
// # Ordering
//
// The output depends only on the arguments and follows their order: the same
// program writes the same bytes at any time and on any machine.
//
// # Blocking and shutdown
//
// The functions return text. They start nothing, wait for nothing and may run
// several at once.
package manual

// Place says where in the configuration a key may stand. Places are bits and
// add up.
type Place uint8

// The places.
const (
	AtTop    Place = 1 << iota // for the daemon
	AtMirror                   // for a mirror, or as a default above it
	AtNode                     // for a node, or as a default above it
	InNode                     // for a node, and only there
	InSSH                      // within ssh
)

// Key is one key of the configuration.
type Key struct {
	Name    string
	Default string // YAML; "" is none, or what Derived says
	Derived string // what is taken in place of a constant default, in words
	Place   Place
	Type    string   // one of the types that schema.go has a form for
	Min     int      // least value of an integer
	Choices []string // all that a string may be
	Meaning string   // one line
}

// path is the key as messages call it.
func (k Key) path() string {
	if k.Place == InSSH {
		return "ssh." + k.Name
	}
	return k.Name
}

// Section is a part of a man page that is a list of terms.
type Section struct {
	Title string
	Items []Item
}

// Item is a term and what it means.
type Item struct{ Term, Text string }
