package config

import (
	"errors"
	"io"

	"inosyncd/internal/filter"
)

// The names that rsync keeps unfinished files under. They are never mirrored.
const (
	partialDir = ".inosyncd-partial/" // --partial-dir
	delayedDir = ".~tmp~/"            // --delay-updates, as rsync(1) has it
)

// rules reads rexcludes, then the lines of rexcludes_from. Like rsync it puts
// the names of unfinished files at the end, perishable: what a broken-off push
// left does not keep its directory on the node.
func (l *loader) rules(s *scope, m Mirror) *filter.Rules {
	var lines []filter.Line
	own := s.find("rexcludes")
	if l.decode(own) != nil {
		for _, n := range own.node.Content {
			lines = append(lines, filter.Line{Text: target(n).Value, File: l.file, Number: n.Line, Column: n.Column})
		}
	}
	if m.RulesFile != "" {
		lines = append(lines, l.rulesFile(s.find("rexcludes_from"), m.RulesFile)...)
	}
	lines = append(lines, filter.Line{Text: partialDir, Perishable: true})
	for _, n := range m.Nodes {
		if n.DelayUpdates {
			lines = append(lines, filter.Line{Text: delayedDir, Perishable: true})
			break
		}
	}
	rules, err := filter.Parse(lines)
	for _, e := range syntaxErrors(err) {
		l.faults = append(l.faults, l.ofLine(e.Line, e.Msg))
	}
	if err != nil {
		return nil
	}
	for _, line := range rules.Useless() {
		l.warnings = append(l.warnings, l.ofLine(line, "can never match"))
	}
	return rules
}

// ofLine is a fault about a rule.
func (l *loader) ofLine(line filter.Line, msg string) Fault {
	f := Fault{File: line.File, Line: line.Number, Column: max(line.Column, 1), Key: "rexcludes", Value: line.Text, Msg: msg}
	if line.File != l.file {
		f.Key = "rexcludes_from"
	}
	return f
}

// syntaxErrors takes apart what filter.Parse has joined.
func syntaxErrors(err error) []*filter.SyntaxError {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []*filter.SyntaxError
	for _, e := range joined.Unwrap() {
		if s, ok := errors.AsType[*filter.SyntaxError](e); ok {
			all = append(all, s)
		}
	}
	return all
}

// longestRules bounds what is read of a rules file.
const longestRules = 16 << 20

func (l *loader) rulesFile(x *setting, file string) []filter.Line {
	f, err := openRegular(file)
	if err != nil {
		l.bad(x, x.node, "cannot be read: "+cause(err), "")
		return nil
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, longestRules+1))
	if err == nil && len(content) > longestRules {
		err = errors.New("is too long")
	}
	if err != nil {
		l.bad(x, x.node, "cannot be read: "+cause(err), "")
		return nil
	}
	return filter.ReadLines(file, content)
}
