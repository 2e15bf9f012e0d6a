package watcher

import (
	"bytes"
	"encoding/binary"
	"iter"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// event is one record of what read(2) returns from an inotify descriptor.
type event struct {
	wd     int32
	mask   uint32
	cookie uint32 // joins the two events of a move; 0 in others
	name   []byte // shares the buffer it was read into; empty: the directory itself
}

// about is what ev says of the entry at path.
func (ev event) about(path string) change.Event {
	return change.Event{Path: path, Mask: ev.mask, Cookie: ev.cookie}
}

// events yields the records in b: struct inotify_event of inotify(7), each
// followed by its name, which NUL bytes fill up. It ends at the first record
// that b does not hold whole; the kernel never writes one.
func events(b []byte) iter.Seq[event] {
	return func(yield func(event) bool) {
		for len(b) >= unix.SizeofInotifyEvent {
			ev := event{
				wd:     int32(binary.NativeEndian.Uint32(b[0:])),
				mask:   binary.NativeEndian.Uint32(b[4:]),
				cookie: binary.NativeEndian.Uint32(b[8:]),
			}
			size := binary.NativeEndian.Uint32(b[12:])
			b = b[unix.SizeofInotifyEvent:]
			if uint64(size) > uint64(len(b)) {
				return
			}
			ev.name, _, _ = bytes.Cut(b[:size], []byte{0})
			b = b[size:]
			if !yield(ev) {
				return
			}
		}
	}
}
