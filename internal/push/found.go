package push

// Kind is in what an entry of a node was found to differ from the source.
type Kind int

// The kinds of differences.
const (
	Created    Kind = iota // the node did not have it
	Updated                // its content, or its type, was another
	Attributes             // all but its content
	Deleted                // the source did not have it
	Kinds                  // how many there are
)

// maxFound is how many differences are kept by name.
const maxFound = 1000

// Found is what a comparison of a whole tree found different at the node and
// made equal. The zero value is an empty one.
type Found struct {
	Count [Kinds]int // of all differences
	Names []Named    // the first of them
}

// Named is a difference and where it was.
type Named struct {
	Path string // relative to the source; "" is the root
	Kind Kind
}

// Add takes in a difference that was made equal.
func (f *Found) Add(path string, k Kind) {
	f.Count[k]++
	if len(f.Names) < maxFound {
		f.Names = append(f.Names, Named{path, k})
	}
}

// Full reports whether further differences are only counted.
func (f *Found) Full() bool { return len(f.Names) == maxFound }

// Without returns what is left of f when the named differences that explained
// knows a reason for are taken away. Those that were only counted stay.
func (f *Found) Without(explained func(path string) bool) Found {
	left := Found{Count: f.Count}
	for _, n := range f.Names {
		if explained(n.Path) {
			left.Count[n.Kind]--
		} else {
			left.Names = append(left.Names, n)
		}
	}
	return left
}

// Len is the number of differences.
func (f *Found) Len() int {
	n := 0
	for _, c := range f.Count {
		n += c
	}
	return n
}
