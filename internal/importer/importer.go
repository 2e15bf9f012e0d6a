// Package importer converts the configuration of a program that inosyncd replaces
// into inosyncd's own.
//
// Such a configuration is a program in Python or Lua. It is read, never executed:
// the reader knows assignments, literal values, and names that were assigned such
// values before. It reports everything else instead of guessing.
//
// # Ordering
//
// Nodes, patterns and options keep their order. Notes are in the order of the
// file.
//
// # Blocking and shutdown
//
// The functions work on text: they open no file, start nothing and may run
// concurrently.
package importer

import (
	"fmt"
	"strings"
)

// Note is something about a line of the file.
type Note struct {
	Line int // from 1
	What string
}

// Faults are what makes a file impossible to import.
type Faults []Note

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, n := range f {
		lines[i] = fmt.Sprintf("line %d: %s", n.Line, n.What)
	}
	return strings.Join(lines, "\n")
}

// Accepts tells whether an option can be handed to rsync as it is.
type Accepts func(option string) bool

// Result is an imported configuration.
type Result struct {
	YAML  []byte // with the notes as comments on top
	Notes []Note // what was not taken over
}

// maxDepth bounds the nesting of values, which the readers follow by recursion.
const maxDepth = 50

// maxLength bounds what names joined with themselves can grow to, in bytes of a
// string and elements of a list.
const maxLength = 1 << 16
