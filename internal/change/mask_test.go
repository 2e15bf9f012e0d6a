package change

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseMask(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want uint32
		err  string
	}{
		{in: "IN_CREATE", want: unix.IN_CREATE},
		{in: "IN_CREATE|IN_DELETE", want: unix.IN_CREATE | unix.IN_DELETE},
		{in: " IN_CREATE | IN_DELETE ", want: unix.IN_CREATE | unix.IN_DELETE},
		{in: "IN_MOVE", want: unix.IN_MOVED_FROM | unix.IN_MOVED_TO},
		{in: "IN_CLOSE_WRITE", want: unix.IN_CLOSE_WRITE},
		{in: "IN_OPEN", err: "IN_OPEN cannot be used: comparing trees would trigger itself"},
		{in: "IN_CREATE|IN_ACCESS", err: "IN_ACCESS cannot be used: comparing trees would trigger itself"},
		{in: "IN_CLOSE_NOWRITE", err: "IN_CLOSE_NOWRITE cannot be used: comparing trees would trigger itself"},
		{in: "IN_CLOSE", err: "IN_CLOSE cannot be used: comparing trees would trigger itself"},
		{in: "IN_ALL_EVENTS", err: "IN_ALL_EVENTS cannot be used: comparing trees would trigger itself"},
		{in: "IN_ISDIR", err: "IN_ISDIR is a flag of inotify, not a change"},
		{in: "CREATE", err: `unknown event "CREATE"`},
		{in: "in_create", err: `unknown event "in_create"`},
		{in: "IN_CREATE,IN_DELETE", err: `unknown event "IN_CREATE,IN_DELETE"`},
		{in: "IN_CREATE|", err: `unknown event ""`},
		{in: "", err: `unknown event ""`},
	} {
		got, err := ParseMask(tc.in)
		if msg := text(err); got != tc.want || msg != tc.err {
			t.Errorf("ParseMask(%q): got %#x, %q, want %#x, %q", tc.in, got, msg, tc.want, tc.err)
		}
	}
	if _, err := ParseMask("IN_FOO"); !errors.Is(err, ErrUnknownEvent) {
		t.Errorf("ParseMask(IN_FOO): got %v, want ErrUnknownEvent", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestMaskString(t *testing.T) {
	for _, tc := range []struct {
		in   uint32
		want string
	}{
		{0, "0"},
		{unix.IN_CREATE | unix.IN_ISDIR, "IN_CREATE|IN_ISDIR"},
		{unix.IN_MOVED_FROM | unix.IN_MOVED_TO, "IN_MOVED_FROM|IN_MOVED_TO"},
		{unix.IN_CLOSE, "IN_CLOSE_WRITE|IN_CLOSE_NOWRITE"},
		{unix.IN_Q_OVERFLOW, "IN_Q_OVERFLOW"},
		{unix.IN_CREATE | 1<<20, "IN_CREATE|0x100000"},
	} {
		if got := MaskString(tc.in); got != tc.want {
			t.Errorf("MaskString(%#x): got %q, want %q", tc.in, got, tc.want)
		}
	}
}

// What a mask is printed as can be written into a configuration.
func TestMaskStringIsParsedBack(t *testing.T) {
	for _, name := range EventNames() {
		mask, err := ParseMask(name)
		if err != nil {
			t.Fatalf("ParseMask(%q): got %v, want no error", name, err)
		}
		if got, err := ParseMask(MaskString(mask)); got != mask || err != nil {
			t.Errorf("ParseMask(MaskString(%#x)): got %#x, %v, want it back", mask, got, err)
		}
	}
	if got, _ := ParseMask(MaskString(DefaultMask)); got != DefaultMask {
		t.Errorf("ParseMask(MaskString(DefaultMask)): got %#x, want %#x", got, DefaultMask)
	}
	if !slices.IsSorted(EventNames()) {
		t.Errorf("EventNames(): got %v, want the order of the alphabet", EventNames())
	}
}
