package watcher

import (
	"fmt"
	"os"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/rjeczalik/notify"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// TestNotifyHoldsWhatIsWritten makes a file, lets the event come, and closes
// it then: the first event says that it is being written, the last does not.
func TestNotifyHoldsWhatIsWritten(t *testing.T) {
	r := &rig{t: t, root: t.TempDir(), start: startNotify}
	r.watch(nil)
	f, err := os.Create(r.path("f"))
	r.must(err)
	if !poll(func() bool { return r.has(func(ev change.Event) bool { return ev.Path == "f" && ev.Writing }) }) {
		t.Error("no event says that f is being written")
	}
	r.must(f.Close())
	if !poll(func() bool {
		return r.has(func(ev change.Event) bool { return ev.Mask&bitCloseWrite != 0 && !ev.Writing })
	}) {
		t.Error("no event says that f was closed")
	}
}

// TestFsnotifyMask wants every operation under the names of inotify(7).
func TestFsnotifyMask(t *testing.T) {
	tests := []struct {
		op         fsnotify.Op
		want, root uint32
	}{
		{fsnotify.Create, unix.IN_CREATE, 0},
		{fsnotify.Write, unix.IN_MODIFY | unix.IN_CLOSE_WRITE, 0},
		{fsnotify.Remove, unix.IN_DELETE, unix.IN_DELETE_SELF},
		{fsnotify.Rename, unix.IN_MOVED_FROM, unix.IN_MOVE_SELF},
		{fsnotify.Chmod, unix.IN_ATTRIB, unix.IN_ATTRIB},
		{fsnotify.Create | fsnotify.Chmod, unix.IN_CREATE | unix.IN_ATTRIB, unix.IN_ATTRIB},
	}
	for _, tt := range tests {
		if got := fsnotifyMask(tt.op, false); got != tt.want {
			t.Errorf("fsnotifyMask(%v, false): got %#x, want %#x", tt.op, got, tt.want)
		}
		if got := fsnotifyMask(tt.op, true); got != tt.root {
			t.Errorf("fsnotifyMask(%v, true): got %#x, want %#x", tt.op, got, tt.root)
		}
	}
	if bitIsDir != unix.IN_ISDIR {
		t.Errorf("bitIsDir: got %#x, want %#x", bitIsDir, unix.IN_ISDIR)
	}
}

// TestFsnotifyTellsALoss gives the reader of errors what fsnotify may send.
func TestFsnotifyTellsALoss(t *testing.T) {
	for err, want := range map[error]bool{
		fsnotify.ErrEventOverflow: true,
		unix.EIO:                  true,
		unix.EINVAL:               false,
	} {
		errs := make(chan error, 1)
		errs <- err
		close(errs)
		l := &fsnotifyLib{hints: newHints()}
		l.readErrors(&fsnotify.Watcher{Errors: errs})
		if _, lost := l.hints.take(); lost != want {
			t.Errorf("lost after %v: got %v, want %v", err, lost, want)
		}
	}
}

// TestNotifyTellsALoss has a queue that was full, and one that was not.
func TestNotifyTellsALoss(t *testing.T) {
	for size, want := range map[int]bool{3: true, 4: false} {
		l := &notifyLib{base: "/base", hints: newHints(), events: make(chan notify.EventInfo, size)}
		for range 3 {
			l.events <- rawEvent("/base/f")
		}
		close(l.events)
		l.read()
		if _, lost := l.hints.take(); lost != want {
			t.Errorf("lost after 3 events in a queue of %d: got %v, want %v", size, lost, want)
		}
		if events, _ := l.hints.counts(); events != 3 {
			t.Errorf("counts(): got %d events, want 3", events)
		}
	}
}

// rawEvent is a write to the file of that name.
type rawEvent string

func (e rawEvent) Event() notify.Event { return notify.InCloseWrite }
func (e rawEvent) Path() string        { return string(e) }
func (e rawEvent) Sys() any            { return &unix.InotifyEvent{Mask: unix.IN_CLOSE_WRITE} }

func TestHintsAreBounded(t *testing.T) {
	h := newHints()
	for i := range maxHints {
		h.add(fmt.Sprint(i), bitCreate)
	}
	h.add("0", bitDelete)
	if masks, lost := h.take(); lost || len(masks) != maxHints || masks["0"] != bitCreate|bitDelete {
		t.Errorf("take(): got %d hints, lost %v, %#x for one path; want %d and none lost", len(masks), lost, masks["0"], maxHints)
	}
	for i := range maxHints + 2 {
		h.add(fmt.Sprint(i), bitCreate)
	}
	if masks, lost := h.take(); !lost || len(masks) != 0 {
		t.Errorf("take() past the bound: got %d hints, lost %v, want the loss alone", len(masks), lost)
	}
	if _, lost := h.take(); lost {
		t.Error("take() after that: got the same loss again")
	}
	if events, overflows := h.counts(); events != 2*maxHints+3 || overflows != 1 {
		t.Errorf("counts(): got %d events and %d overflows, want %d and 1", events, overflows, 2*maxHints+3)
	}
}
