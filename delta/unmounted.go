package delta

import (
	"errors"
	"fmt"
	"slices"

	"inosyncd/internal/change"
)

// ErrUnmounted is why a part of the source is left as it is at the nodes: the file
// system that was mounted there is not mounted now.
var ErrUnmounted = errors.New("a file system below the source is not mounted any more")

// leaveUnmounted leaves out what the set says of places where a file system was
// mounted, and keeps it until one is again: the directory that a lost mount uncovers
// would pass for the removal of all that was in it.
func (p *Plan) leaveUnmounted(places []string) {
	p.unmounted = places
	for _, place := range places {
		if p.set.Touches(place) {
			p.Held = append(p.Held, place)
			p.unread(place, change.AllBelow, fmt.Errorf("%w: %q", ErrUnmounted, place))
		}
	}
}

// isUnmounted reports whether path is such a place, or below one.
func (p *Plan) isUnmounted(path string) bool {
	return slices.ContainsFunc(p.unmounted, func(place string) bool { return path == place || below(path, place) })
}
