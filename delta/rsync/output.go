package rsync

import (
	"strconv"
	"strings"

	"inosyncd/internal/push"
)

// format makes rsync report every entry that it deals with as one line:
// what is done, name, length, bytes sent.
const format = "%i|%n|%l|%b"

// item is one line in that format. The codes of what are under
// --itemize-changes in rsync(1).
type item struct {
	what string // eleven characters, such as "<f.st......"
	name string // relative to the source, without a slash at its end; "" is the root
}

// sent reports whether the content of a regular file went to the node.
func (i item) sent() bool {
	return (i.what[0] == '<' || i.what[0] == '>') && i.what[1] == 'f'
}

// deleted reports whether the entry was removed from the node. What rsync itself
// had left there is not counted.
func (i item) deleted() bool { return strings.HasPrefix(i.what, "*deleting") && !leftover(i.name) }

// swept reports whether what rsync itself had left at the node was removed.
func (i item) swept() bool { return strings.HasPrefix(i.what, "*deleting") && leftover(i.name) }

// kind is in what the node's entry differed.
func (i item) kind() push.Kind {
	switch {
	case i.deleted():
		return push.Deleted
	case strings.HasSuffix(i.what, "+++++++++"):
		return push.Created
	case i.what[0] == '.':
		return push.Attributes
	default:
		return push.Updated
	}
}

const whatLen = 11

// parseItem reads a line of standard output. ok is false when it is no item.
// The name comes last to be found, since it can hold a '|' itself.
func parseItem(line string) (it item, ok bool) {
	if len(line) < whatLen+len("|||") || line[whatLen] != '|' || !strings.ContainsRune("<>ch.*", rune(line[0])) {
		return item{}, false
	}
	name := line[whatLen+1:]
	for range 2 {
		i := strings.LastIndexByte(name, '|')
		if i < 0 || !digits(name[i+1:]) {
			return item{}, false
		}
		name = name[:i]
	}
	name = strings.TrimSuffix(unescape(name), "/")
	name = strings.TrimPrefix(name, "./")
	if name == "." {
		name = ""
	}
	return item{what: line[:whatLen], name: name}, true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// unescape turns rsync's \#ooo, three octal digits, back into the byte. A name
// that holds such a sequence itself comes with its backslash escaped.
func unescape(s string) string {
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

// parseSent reads the line of --stats that tells the bytes sent.
func parseSent(line string) (int64, bool) {
	digits, ok := strings.CutPrefix(line, "Total bytes sent: ")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0
}

// endLine begins the line that says that the receiver has reported its end: that
// everything is in place, removals and the times of directories included, and
// that all its messages were sent before (read_final_goodbye in main.c, 3.5.0).
// What remains is that rsync sees its child end, for which it looks every 20 ms,
// and so does the receiver. To a daemon there is no child and no such line.
const endLine = "client_run waiting on "

// stats are the other lines that --stats prints, and those of --debug=exit2. Of a
// local rsync every process prints the latter.
var stats = []string{
	"Number of ", "Total ", "Literal data: ", "Matched data: ", "File list ",
	"sent ", "total size is ",
	endLine, "[sender] _exit_cleanup(",
	"[Receiver] _exit_cleanup(", "[generator] _exit_cleanup(", "[receiver] _exit_cleanup(",
}

func isStat(line string) bool {
	for _, s := range stats {
		if strings.HasPrefix(line, s) {
			return true
		}
	}
	return false
}

// parseProgress reads a record of --info=progress2: bytes, percent, rate, time.
func parseProgress(line string) (percent int, bytes int64, ok bool) {
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
