package manual

import (
	"fmt"
	"strings"
)

// page is a man page in the macros of man(7).
type page struct{ strings.Builder }

func newPage(name, section, title string) *page {
	p := &page{}
	// The fields of .TH: title, section, date (none: it would change with
	// every build), source, manual.
	p.line(`.TH "%s" "%s" "" "inosyncd" "%s"`, strings.ToUpper(name), section, title)
	p.line(".nh") // names are not to be broken at line ends
	p.line(".ad l")
	return p
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) heading(title string) { p.line(".SH %s", escape(title)) }

// term is a paragraph with a tag.
func (p *page) term(tag, text string) {
	p.line(".TP")
	p.line(`\fB%s\fR`, escape(tag))
	p.line("%s", escape(text))
}

// text writes paragraphs; those that are indented are shown as they are.
func (p *page) text(text string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		p.line(".PP")
		if !strings.HasPrefix(paragraph, " ") {
			p.line("%s", escape(paragraph))
			continue
		}
		p.line(".nf")
		p.line("%s", escape(paragraph))
		p.line(".fi")
	}
}

func (p *page) sections(sections []Section) {
	for _, s := range sections {
		p.heading(s.Title)
		for _, item := range s.Items {
			p.term(item.Term, item.Text)
		}
	}
}

var special = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// escape makes text of what groff(7) would take for a request or a character
// of its own. A blank at the start of a line is kept.
func escape(text string) string {
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if strings.HasPrefix(line, ".") {
			b.WriteString(`\&`)
		}
		b.WriteString(special.Replace(line))
	}
	return b.String()
}
