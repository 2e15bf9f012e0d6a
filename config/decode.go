package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"

	"inosyncd/internal/change"
)

// decode returns what s says, in the type of its field, or nil and a fault.
func (l *loader) decode(s *setting) any {
	if !s.decoded {
		s.decoded = true
		s.value = l.decodeNode(s)
	}
	return s.value
}

func (l *loader) decodeNode(s *setting) any {
	switch s.key.Type {
	case List, Patterns:
		if list, ok := l.list(s); ok {
			return list
		}
		return nil
	case Events:
		return l.events(s)
	}
	v, err := decodeScalar(s.key, s.node)
	if err != nil {
		l.bad(s, s.node, err.Error(), nearest(s.node.Value, s.key.Choices))
		return nil
	}
	return v
}

var errNoValue = errors.New("has no value")

// decodeScalar is strict: a value, or an element of a list, has the type of
// its key, or it is an error.
func decodeScalar(k *Key, n *yaml.Node) (any, error) {
	tag := n.ShortTag()
	isList := k.Type == List || k.Type == Patterns
	switch {
	case tag == "!!null":
		return nil, errNoValue
	case n.Kind != yaml.ScalarNode:
		return nil, fmt.Errorf("must be a single value, of type %s", k.Type)
	case k.Type == Bool:
		return decodeBool(n)
	case k.Type == Count:
		return decodeCount(k, n)
	case k.Type == Duration:
		return parseDuration(n.Value)
	case k.Type == Rate:
		return parseRate(n.Value)
	case k.Type == Pace:
		return parsePace(n.Value)
	case tag != "!!str":
		return nil, errors.New("must be a string: put it in quotes")
	case isList && strings.Contains(n.Value, "\x00"), !isList && strings.ContainsFunc(n.Value, isControl):
		return nil, errors.New("has a control character")
	}
	return decodeString(k, n.Value)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func decodeBool(n *yaml.Node) (any, error) {
	b, err := strconv.ParseBool(strings.ToLower(n.Value))
	if err != nil || n.ShortTag() != "!!bool" {
		return nil, errors.New("must be true or false")
	}
	return b, nil
}

func decodeCount(k *Key, n *yaml.Node) (any, error) {
	f, err := number(n.Value)
	i, convErr := strconv.Atoi(n.Value)
	switch {
	case n.ShortTag() != "!!int":
		return nil, errors.New("must be a whole number")
	case err != nil:
		return nil, err
	case convErr != nil || f > math.MaxInt32:
		return nil, errors.New("is too large")
	case i < k.Min:
		return nil, fmt.Errorf("must be %d or more", k.Min)
	}
	return i, nil
}

func decodeString(k *Key, s string) (any, error) {
	switch {
	case len(k.Choices) > 0 && !slices.Contains(k.Choices, s):
		return nil, errors.New("must be one of " + strings.Join(k.Choices, ", "))
	case k.Type == Path && s != "" && !strings.HasPrefix(s, "/"):
		return nil, errors.New("must be an absolute path")
	case k.Type == Cron:
		s = sundays(s)
		return s, checkSchedule(s)
	case k.Type == HostPort && s != "":
		return s, checkHostPort(s)
	}
	return s, nil
}

// sundays writes the 7 that is Sunday in crontab(5) as the 0 that cron v3.0.1
// takes for it.
func sundays(s string) string {
	fields := strings.Fields(s)
	if len(fields) < 5 || strings.HasPrefix(s, "@") {
		return s
	}
	days := strings.Split(fields[len(fields)-1], ",")
	for i, day := range days {
		if day == "7" {
			days[i] = "0"
		} else if from, to7 := strings.CutSuffix(day, "-7"); to7 {
			days[i] = from + "-6,0"
		}
	}
	fields[len(fields)-1] = strings.Join(days, ",")
	return strings.Join(fields, " ")
}

func checkSchedule(s string) error {
	if s == "" {
		return nil
	}
	if strings.HasPrefix(s, "TZ=") || strings.HasPrefix(s, "CRON_TZ=") {
		if !strings.Contains(s, " ") { // the parser of cron v3.0.1 panics
			return errors.New("has a time zone and no schedule")
		}
	}
	if every, ok := strings.CutPrefix(s, "@every "); ok {
		if d, err := time.ParseDuration(every); err == nil && d < time.Second {
			return errors.New("must be 1s or more") // cron would take 1s for it
		}
	}
	sched, err := cron.ParseStandard(s)
	if err != nil {
		return errors.New("must be a cron line, @daily or such as @every 6h: " + err.Error())
	}
	if sched.Next(time.Now()).IsZero() {
		return errors.New("is a time that never comes")
	}
	return nil
}

func checkHostPort(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return errors.New("must be host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return errors.New("must have a port from 0 to 65535")
	}
	return nil
}

// list returns the elements of a list of strings. Each element that is none is
// a fault of its own.
func (l *loader) list(s *setting) (list []string, ok bool) {
	if s.node.Kind != yaml.SequenceNode {
		l.bad(s, s.node, listError(s.node).Error(), "")
		return nil, false
	}
	ok = true
	for _, n := range s.node.Content {
		text, err := decodeScalar(s.key, target(n))
		if err != nil {
			l.bad(s, n, err.Error(), "")
			ok = false
			continue
		}
		list = append(list, text.(string))
	}
	return list, ok
}

func listError(n *yaml.Node) error {
	if n.ShortTag() == "!!null" {
		return errNoValue
	}
	return errors.New("must be a list")
}

// events returns the mask of a list of names, or of one string of them.
func (l *loader) events(s *setting) any {
	names := []*yaml.Node{s.node}
	if s.node.Kind == yaml.SequenceNode {
		names = s.node.Content
	}
	var mask uint32
	ok := true
	for _, n := range names {
		text, err := decodeScalar(&Key{Type: Text}, target(n))
		var bits uint32
		if err == nil {
			bits, err = change.ParseMask(text.(string))
		}
		if err != nil {
			l.bad(s, n, err.Error(), nearestEvent(n.Value, err))
			ok = false
		}
		mask |= bits
	}
	if !ok {
		return nil
	}
	return mask
}

// nearestEvent suggests a name where the value is a single unknown one.
func nearestEvent(name string, err error) string {
	if !errors.Is(err, change.ErrUnknownEvent) || strings.Contains(name, "|") {
		return ""
	}
	return nearest(name, change.EventNames())
}

// scalarSetting is a setting from outside the file. A string is a string even
// where it looks like a number.
func scalarSetting(name, value, from string) *setting {
	k := find(name, atTop)
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if k != nil && slices.Contains([]Type{Text, Path, Cron, HostPort, Events}, k.Type) {
		n.Tag = "!!str"
	}
	return &setting{key: k, node: n, from: from}
}
