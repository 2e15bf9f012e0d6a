package logging

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonLines escapes what encoding/json leaves as it is though a terminal obeys
// it or shows something else for it: DEL, the control characters of ISO 6429
// from U+0080 to U+009F, and whatever else is not printable. In a line of
// JSON that is in strings alone.
type jsonLines struct{ w io.Writer }

func (j jsonLines) Write(line []byte) (int, error) {
	if bytes.IndexFunc(line, unprintable) < 0 {
		return j.w.Write(line)
	}
	out := make([]byte, 0, len(line)+16)
	for rest := line; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case !unprintable(r):
			out = append(out, rest[:n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		rest = rest[n:]
	}
	if _, err := j.w.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}

// unprintable reports whether r is to be escaped. The newline is the end of the
// line: in strings there is none.
func unprintable(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
