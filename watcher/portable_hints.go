package watcher

import "sync"

// The bits of inotify(7), for backends that have no header to take them from.
// Their values are part of the kernel's interface and never change.
const (
	bitModify     = 0x2
	bitAttrib     = 0x4
	bitCloseWrite = 0x8
	bitMovedFrom  = 0x40
	bitMovedTo    = 0x80
	bitCreate     = 0x100
	bitDelete     = 0x200
	bitDeleteSelf = 0x400
	bitMoveSelf   = 0x800
	bitIsDir      = 0x40000000

	bitsStructure = bitCreate | bitDelete | bitMovedFrom | bitMovedTo
	bitsSelf      = bitDeleteSelf | bitMoveSelf
)

// maxHints bounds the hints that wait while directories are being listed: at
// some 100 bytes each they stay below 10 MB.
const maxHints = 65536

// hints is what waits between a library and the goroutine that looks. Since a
// hint only says where to look, hints about one path are one hint. Past
// maxHints they are dropped for the knowledge that something was lost.
type hints struct {
	wake chan struct{} // holds one value while there is something to take

	mu        sync.Mutex
	masks     map[string]uint32 // by path relative to the root
	lost      bool              // something was missed since the last take
	events    uint64
	overflows uint64
}

func newHints() *hints {
	return &hints{wake: make(chan struct{}, 1), masks: make(map[string]uint32)}
}

// add notes an event. It does not block.
func (h *hints) add(path string, mask uint32) {
	h.mu.Lock()
	h.events++
	was, known := h.masks[path]
	switch {
	case h.lost:
	case len(h.masks) >= maxHints && !known:
		h.overflow()
	default:
		h.masks[path] = was | mask
	}
	h.mu.Unlock()
	h.signal()
}

// lose notes that the library has missed something. It does not block.
func (h *hints) lose() {
	h.mu.Lock()
	h.overflow()
	h.mu.Unlock()
	h.signal()
}

func (h *hints) overflow() {
	h.overflows++
	h.lost = true
	clear(h.masks)
}

func (h *hints) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// take returns what was noted since the last take, and whether something was
// lost: then everything is to be looked at, and there are no masks.
func (h *hints) take() (masks map[string]uint32, lost bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	masks, lost = h.masks, h.lost
	h.masks, h.lost = make(map[string]uint32), false
	return masks, lost
}

// counts are the events and the overflows so far.
func (h *hints) counts() (events, overflows uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events, h.overflows
}
