package logging

import (
	"bytes"
	"io"
)

// colours are those of levels (SGR of ECMA-48), by their first letter; INFO,
// which most lines are, has none.
var colours = map[byte]string{'D': "\x1b[2m", 'W': "\x1b[33m", 'E': "\x1b[31m"}

const colourEnd = "\x1b[0m"

// colourLines gives the level of text lines its colour. It comes second in a
// line, after the time, so what a name holds can not be taken for it.
type colourLines struct{ w io.Writer }

func (c colourLines) Write(line []byte) (int, error) {
	const key = " level="
	_, after, ok := bytes.Cut(line, []byte(key))
	if !ok || len(after) == 0 || colours[after[0]] == "" {
		return c.w.Write(line)
	}
	level, rest, _ := bytes.Cut(after, []byte(" "))
	out := make([]byte, 0, len(line)+16)
	out = append(out, line[:len(line)-len(after)]...)
	out = append(out, colours[level[0]]...)
	out = append(out, level...)
	out = append(out, colourEnd+" "...)
	out = append(out, rest...)
	if _, err := c.w.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}
