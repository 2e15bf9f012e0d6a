package change

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultMask are the events that start a sync where nothing else is asked
// for: a file's content is complete when its writer has closed it, so
// IN_MODIFY is not among them.
const DefaultMask = unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE |
	unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB

// ErrUnknownEvent is returned, wrapped, by ParseMask for a name that inotify
// does not have. The caller may suggest one of EventNames.
var ErrUnknownEvent = errors.New("unknown event")

type eventName struct {
	name string
	bits uint32
}

// events are the names that a mask may be made of: those of inotify(7) that
// say that something changed, and its group of two of them.
var events = []eventName{
	{"IN_ATTRIB", unix.IN_ATTRIB},
	{"IN_CLOSE_WRITE", unix.IN_CLOSE_WRITE},
	{"IN_CREATE", unix.IN_CREATE},
	{"IN_DELETE", unix.IN_DELETE},
	{"IN_DELETE_SELF", unix.IN_DELETE_SELF},
	{"IN_MODIFY", unix.IN_MODIFY},
	{"IN_MOVE", unix.IN_MOVED_FROM | unix.IN_MOVED_TO},
	{"IN_MOVED_FROM", unix.IN_MOVED_FROM},
	{"IN_MOVED_TO", unix.IN_MOVED_TO},
	{"IN_MOVE_SELF", unix.IN_MOVE_SELF},
}

// reading are the events of somebody looking. rsync opens, reads and closes
// what it compares, so each push would start the next.
var reading = []eventName{
	{"IN_ACCESS", unix.IN_ACCESS},
	{"IN_ALL_EVENTS", unix.IN_ALL_EVENTS},
	{"IN_CLOSE", unix.IN_CLOSE},
	{"IN_CLOSE_NOWRITE", unix.IN_CLOSE_NOWRITE},
	{"IN_OPEN", unix.IN_OPEN},
}

// flags are what else inotify(7) has: bits that come with an event, that come
// unasked, or that only inotify_add_watch(2) takes.
var flags = []eventName{
	{"IN_DONT_FOLLOW", unix.IN_DONT_FOLLOW},
	{"IN_EXCL_UNLINK", unix.IN_EXCL_UNLINK},
	{"IN_IGNORED", unix.IN_IGNORED},
	{"IN_ISDIR", unix.IN_ISDIR},
	{"IN_MASK_ADD", unix.IN_MASK_ADD},
	{"IN_MASK_CREATE", unix.IN_MASK_CREATE},
	{"IN_ONESHOT", unix.IN_ONESHOT},
	{"IN_ONLYDIR", unix.IN_ONLYDIR},
	{"IN_Q_OVERFLOW", unix.IN_Q_OVERFLOW},
	{"IN_UNMOUNT", unix.IN_UNMOUNT},
}

// EventNames are the names that ParseMask takes, in the order of the alphabet.
func EventNames() []string {
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = e.name
	}
	return names
}

// ParseMask reads names of events joined by '|' and returns their bits. The
// error says of one name why it cannot be taken; for a name that does not
// exist it wraps ErrUnknownEvent.
func ParseMask(s string) (uint32, error) {
	var mask uint32
	for name := range strings.SplitSeq(s, "|") {
		bits, err := parseEvent(strings.TrimSpace(name))
		if err != nil {
			return 0, err
		}
		mask |= bits
	}
	return mask, nil
}

func parseEvent(name string) (uint32, error) {
	named := func(e eventName) bool { return e.name == name }
	if i := slices.IndexFunc(events, named); i >= 0 {
		return events[i].bits, nil
	}
	if slices.ContainsFunc(reading, named) {
		return 0, fmt.Errorf("%s cannot be used: comparing trees would trigger itself", name)
	}
	if slices.ContainsFunc(flags, named) {
		return 0, fmt.Errorf("%s is a flag of inotify, not a change", name)
	}
	return 0, fmt.Errorf("%w %q", ErrUnknownEvent, name)
}

// MaskString names the bits of an event or of a mask, joined by '|'; "0" is
// the mask without any. Bits without a name are given in hexadecimal.
func MaskString(mask uint32) string {
	if mask == 0 {
		return "0"
	}
	var names []string
	for _, e := range slices.Concat(events, reading, flags) {
		single := e.bits&(e.bits-1) == 0
		if single && mask&e.bits != 0 {
			names = append(names, e.name)
			mask &^= e.bits
		}
	}
	if mask != 0 {
		names = append(names, fmt.Sprintf("%#x", mask))
	}
	return strings.Join(names, "|")
}
