// Package output reads what rsync prints, and says what it takes to have it print that.
//
// A line is an [Item], which tells what was done with one entry, or a figure: the
// bytes sent, the progress, the end. What a line is not is told as well, so that
// what remains are the messages, which are for whoever judges the run.
//
// Lines come from a stranger at times, the node: nothing is taken for granted of
// them, and none can make a function fail in another way than saying no. All
// functions are pure; nothing blocks, all can run at once.
package output

import (
	"strconv"
	"strings"

	"inosyncd/internal/push"
)

// format makes rsync report every entry that it deals with as one line:
// what is done, name, length, bytes sent.
const format = "%i|%n|%l|%b"

// sayEnd has rsync print the line that begins with EndLine. It is not passed on to
// the other end (3.5.0).
const sayEnd = "--debug=exit2"

// Flags are the options that have rsync print what this package reads. ends asks
// for EndLine, of which a daemon is not to hear, and progress for records of it.
func Flags(ends, progress bool) []string {
	args := []string{"--outbuf=L"}
	if progress {
		args = []string{"--outbuf=N", "--info=progress2"}
	}
	if ends {
		args = append(args, sayEnd)
	}
	return append(args, "--stats", "--no-human-readable", "--out-format="+format)
}

// Item is one line of what rsync does. The codes of What are under
// --itemize-changes in rsync(1).
type Item struct {
	What string // eleven characters, such as "<f.st......"
	Name string // relative to the source, without a slash at its end; "" is the root
}

// Sent reports whether the content of a regular file went to the node.
func (i Item) Sent() bool {
	return (i.What[0] == '<' || i.What[0] == '>') && i.What[1] == 'f'
}

// Deleted reports whether the entry was removed from the node. What rsync itself
// had left there is not counted.
func (i Item) Deleted() bool { return strings.HasPrefix(i.What, "*deleting") && !leftover(i.Name) }

// Swept reports whether what rsync itself had left at the node was removed.
func (i Item) Swept() bool { return strings.HasPrefix(i.What, "*deleting") && leftover(i.Name) }

// Kind is in what the node's entry differed.
func (i Item) Kind() push.Kind {
	switch {
	case i.Deleted():
		return push.Deleted
	case strings.HasSuffix(i.What, "+++++++++"):
		return push.Created
	case i.What[0] == '.':
		return push.Attributes
	default:
		return push.Updated
	}
}

const whatLen = 11

// ParseItem reads a line of standard output. ok is false when it is no item.
// The name comes last to be found, since it can hold a '|' itself.
func ParseItem(line string) (it Item, ok bool) {
	if len(line) < whatLen+len("|||") || line[whatLen] != '|' || !strings.ContainsRune("<>ch.*", rune(line[0])) {
		return Item{}, false
	}
	name := line[whatLen+1:]
	for range 2 {
		i := strings.LastIndexByte(name, '|')
		if i < 0 || !digits(name[i+1:]) {
			return Item{}, false
		}
		name = name[:i]
	}
	name = strings.TrimSuffix(Unescape(name), "/")
	name = strings.TrimPrefix(name, "./")
	if name == "." {
		name = ""
	}
	return Item{What: line[:whatLen], Name: name}, true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Unescape turns rsync's \#ooo, three octal digits, back into the byte. A name
// that holds such a sequence itself comes with its backslash escaped.
func Unescape(s string) string {
	if !strings.Contains(s, `\#`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], `\#`) && len(s) >= i+5 {
			if c, err := strconv.ParseUint(s[i+2:i+5], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 4
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// ParseSent reads the line of --stats that tells the bytes sent.
func ParseSent(line string) (int64, bool) {
	digits, ok := strings.CutPrefix(line, "Total bytes sent: ")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0
}

// EndLine begins the line that says that the receiver has reported its end: that
// everything is in place, removals and the times of directories included, and
// that all its messages were sent before (read_final_goodbye in main.c, 3.5.0).
// What remains is that rsync sees its child end, for which it looks every 20 ms,
// and so does the receiver. To a daemon there is no child and no such line.
const EndLine = "client_run waiting on "

// stats are the other lines that --stats prints, and those of --debug=exit2. Of a
// local rsync every process prints the latter.
var stats = []string{
	"Number of ", "Total ", "Literal data: ", "Matched data: ", "File list ",
	"sent ", "total size is ",
	EndLine, "[sender] _exit_cleanup(",
	"[Receiver] _exit_cleanup(", "[generator] _exit_cleanup(", "[receiver] _exit_cleanup(",
}

// IsStat reports whether line is one of those, and no message.
func IsStat(line string) bool {
	for _, s := range stats {
		if strings.HasPrefix(line, s) {
			return true
		}
	}
	return false
}

// ParseProgress reads a record of --info=progress2: bytes, percent, rate, time.
func ParseProgress(line string) (percent int, bytes int64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasSuffix(fields[1], "%") {
		return 0, 0, false
	}
	bytes, err := strconv.ParseInt(strings.ReplaceAll(fields[0], ",", ""), 10, 64)
	if err != nil || bytes < 0 {
		return 0, 0, false
	}
	percent, err = strconv.Atoi(strings.TrimSuffix(fields[1], "%"))
	if err != nil || percent < 0 || percent > 100 {
		return 0, 0, false
	}
	return percent, bytes, true
}
