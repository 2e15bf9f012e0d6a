package main

import (
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows a bar for each node on a terminal, and nothing elsewhere.
type progress struct {
	bars *mpb.Progress // nil: no terminal
}

func newProgress(w io.Writer) *progress {
	if !terminalOf(w).there {
		return &progress{}
	}
	return &progress{mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))}
}

// writer is where other lines go while bars are shown: above them, if w is the
// terminal too.
func (p *progress) writer(w io.Writer) io.Writer {
	if p.bars == nil || !terminalOf(w).there {
		return w
	}
	return p.bars
}

// bar adds a bar and returns what tells it how far its node is, in percent. It
// is nil where no bars are shown.
func (p *progress) bar(mirror, node string) func(percent int, bytes int64) {
	if p.bars == nil {
		return nil
	}
	b := p.bars.AddBar(100,
		mpb.PrependDecorators(decor.Name(printable(mirror+" → "+node), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)))
	return func(percent int, _ int64) { b.SetCurrent(int64(percent)) }
}

// close ends the bars, also those of nodes that failed on the way.
func (p *progress) close() {
	if p.bars != nil {
		p.bars.Shutdown()
	}
}
