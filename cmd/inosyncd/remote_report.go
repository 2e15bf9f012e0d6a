package main

import (
	"context"
	"fmt"
	"io"

	"inosyncd/delta/rsync/probe"
)

// block is what is said of one source or node, or of this machine.
type block struct {
	title string
	node  bool
	look  func(context.Context) []probe.Finding
	found []probe.Finding // once done is closed
	done  chan struct{}
}

// leftovers tells, after a signal, what could not be removed from a node.
func leftovers(blocks []*block, out io.Writer) {
	for _, b := range blocks {
		for _, f := range b.found {
			if f.Grade == probe.Fault && f.About == probe.AboutWriting {
				b.print(out)
				break
			}
		}
	}
}

// print writes a line for the block and one for each finding.
func (b *block) print(out io.Writer) {
	fmt.Fprintln(out, b.title)
	for _, f := range b.found {
		cure := ""
		if f.Cure != "" {
			cure = "; cure: " + f.Cure
		}
		fmt.Fprintf(out, "  %-8s %s: %s%s\n", f.Grade, f.About, f.Text, cure)
	}
}

// summary counts nodes and findings.
type summary struct {
	nodes, faulty int
	of            [probe.Fault + 1]int // findings, by grade
}

func (s *summary) add(b *block) {
	before := s.of[probe.Fault]
	for _, f := range b.found {
		s.of[f.Grade]++
	}
	if b.node {
		s.nodes++
		if s.of[probe.Fault] > before {
			s.faulty++
		}
	}
}

func (s summary) String() string {
	return fmt.Sprintf("nodes: %d, with faults: %d; faults: %d, warnings: %d, notes: %d",
		s.nodes, s.faulty, s.of[probe.Fault], s.of[probe.Warning], s.of[probe.Note])
}
