package debounce

import (
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// dirChange are the events by which directories come, go and move. They are
// followed whatever the mask says; IN_ATTRIB of a directory is not among them.
const dirChange = unix.IN_CREATE | unix.IN_DELETE | unix.IN_DELETE_SELF |
	unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MOVE_SELF

// wants reports whether the event makes its path pending. One without a cause
// was found by looking, so there is nothing to hold against the mask.
func (o Options) wants(ev change.Event) bool {
	cause := ev.Mask & unix.IN_ALL_EVENTS
	if ev.AllBelow || cause == 0 {
		return true
	}
	return cause&o.Mask != 0 || ev.Mask&unix.IN_ISDIR != 0 && cause&dirChange != 0
}

// marks says what may differ after the event. The content of a file counts as
// written when the event can have replaced it: a rename brings another file,
// and so does a new name, which may be a link to a file as old and as large as
// the one before it.
func marks(ev change.Event) change.Mark {
	const another = unix.IN_MOVED_TO | unix.IN_CREATE
	switch {
	case ev.AllBelow:
		return change.AllBelow
	case ev.Mask&(unix.IN_CLOSE_WRITE|unix.IN_MODIFY) != 0 && ev.Mask&unix.IN_ISDIR == 0:
		return change.Itself | change.Content | change.Shared
	case ev.Writing, ev.Mask&another != 0 && ev.Mask&unix.IN_ISDIR == 0:
		return change.Itself | change.Content
	default:
		return change.Itself
	}
}

// effect is what an event says of the writer of a file.
type effect int

const (
	stays  effect = iota // nothing: if the file was open it still is
	opens                // the file is new and its writer has it open
	closes               // what is under the name now is complete
	leaves               // what was under the name is no longer there
)

func (o Options) effect(ev change.Event) effect {
	switch {
	case ev.Mask&unix.IN_CLOSE_WRITE != 0:
		return closes
	case ev.Writing && o.OpenLimit > 0:
		return opens
	case ev.AllBelow, ev.Mask&(unix.IN_MOVED_TO|unix.IN_CREATE) != 0:
		return closes // another file, or a directory, took the name
	case ev.Mask&unix.IN_ALL_EVENTS == 0:
		return closes // somebody looked, and nobody writes
	case ev.Mask&(unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF) != 0:
		return leaves
	default:
		return stays
	}
}
