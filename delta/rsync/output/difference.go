package output

import "strings"

// letters are what the letters of an item stand for, by their places: what rsync
// would make equal (--itemize-changes in rsync(1)).
var letters = [whatLen]string{
	2: "content", 3: "size", timeAt: "times", 5: "permissions",
	6: "owner", 7: "group", 9: "acls", 10: "xattrs",
}

const timeAt = 4

// Difference says in words what an item of a dry run found, "" for nothing. The
// time of a directory is none: it changes with whatever comes or goes in it, also
// what is excluded.
func (i Item) Difference() string {
	switch {
	case i.Deleted():
		return "extra"
	case strings.HasSuffix(i.What, "+++++++++"):
		return "missing"
	}
	var words []string
	for at, word := range letters {
		if at == timeAt && i.What[1] == 'd' {
			continue
		}
		if c := i.What[at]; word != "" && c != '.' && c != ' ' {
			words = append(words, word)
		}
	}
	if len(words) == 0 && i.What[0] == 'c' {
		return "content" // where a link leads
	}
	return strings.Join(words, ", ")
}
