package main

import (
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows on a terminal how far each node is, and nothing elsewhere.
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

// bar adds a bar for a node. report tells it how far the node is, in percent; done
// that it has come to its end, well or not. report is nil where no bars are shown.
func (p *progress) bar(mirror, node string) (report func(percent int, bytes int64), done func(well bool)) {
	if p.bars == nil {
		return nil, func(bool) {}
	}
	b := p.bars.AddBar(100, mpb.PrependDecorators(nameOf(mirror, node)),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace)))
	done = func(well bool) {
		if well {
			b.SetCurrent(100) // also when there was nothing to send
		} else {
			b.Abort(false)
		}
	}
	return func(percent int, _ int64) { b.SetCurrent(int64(min(percent, 99))) }, done
}

// clock adds a line for a node of which nobody knows how far it is: rsync tells
// nothing while it only compares. It has the time that this takes.
func (p *progress) clock(mirror, node string) (done func(well bool)) {
	if p.bars == nil {
		return func(bool) {}
	}
	b := p.bars.New(0, mpb.SpinnerStyle(), mpb.BarWidth(2), mpb.PrependDecorators(nameOf(mirror, node)),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO, decor.WCSyncSpace)))
	return func(bool) { b.Abort(true) } // the result is its last line
}

func nameOf(mirror, node string) decor.Decorator {
	return decor.Name(printable(mirror+" → "+node), decor.WCSyncSpaceR)
}

// close shows how the bars ended. All of them are done.
func (p *progress) close() {
	if p.bars != nil {
		p.bars.Wait()
	}
}
