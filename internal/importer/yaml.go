package importer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// block is a map of YAML that keeps its order.
type block struct{ node yaml.Node }

// set sets a key to a string, a bool, a list of strings, a *block, a list of
// yaml nodes, or to a bare word.
func (b *block) set(key string, v any) {
	b.node.Kind = yaml.MappingNode
	n := asNode(v)
	for i := 0; i < len(b.node.Content); i += 2 {
		if b.node.Content[i].Value == key {
			b.node.Content[i+1] = n
			return
		}
	}
	b.node.Content = append(b.node.Content, asNode(key), n)
}

// word is a value that is written as it is: a number, a duration.
type word string

func asNode(v any) *yaml.Node {
	switch v := v.(type) {
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v)}
	case word:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: string(v)}
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v}
	case *block:
		return &v.node
	case []*yaml.Node:
		return &yaml.Node{Kind: yaml.SequenceNode, Content: v}
	case []string:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, s := range v {
			list.Content = append(list.Content, asNode(s))
		}
		return list
	default:
		panic(fmt.Sprintf("no YAML is made of a %T", v))
	}
}

// get returns the value of key, nil when it is not there.
func (b *block) get(key string) *yaml.Node {
	for i := 0; i+1 < len(b.node.Content); i += 2 {
		if b.node.Content[i].Value == key {
			return b.node.Content[i+1]
		}
	}
	return nil
}

// add appends to the list of strings at key.
func (b *block) add(key string, more ...string) {
	if n := b.get(key); n != nil {
		n.Content = append(n.Content, asNode(more).Content...)
	} else if len(more) > 0 {
		b.set(key, more)
	}
}

// take appends all keys of o.
func (b *block) take(o *block) {
	b.node.Kind = yaml.MappingNode
	b.node.Content = append(b.node.Content, o.node.Content...)
}

func (b *block) empty() bool { return len(b.node.Content) == 0 }

// same reports whether b and o say the same in the same order.
func (b *block) same(o *block) bool {
	x, errX := yaml.Marshal(&b.node)
	y, errY := yaml.Marshal(&o.node)
	return b.empty() && o.empty() || errX == nil && errY == nil && bytes.Equal(x, y)
}

// document writes b below the notes.
func document(program string, notes []Note, b *block) (Result, error) {
	slices.SortStableFunc(notes, func(a, b Note) int { return a.Line - b.Line })
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Imported from a configuration of %s.\n", program)
	for i, n := range notes {
		notes[i].What = oneLine(n.What)
		fmt.Fprintf(&text, "# not taken over: line %d: %s\n", n.Line, notes[i].What)
	}
	text.WriteByte('\n')
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(&b.node); err != nil {
		return Result{}, fmt.Errorf("writing YAML: %w", err)
	}
	return Result{YAML: text.Bytes(), Notes: notes}, enc.Close()
}

// oneLine makes text fit for a comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, text)
}
