// Package change holds the values that travel through inosyncd: the [Event], which
// says where to look, and the [Set], which says what may differ.
//
// Paths are relative to the watched root: components joined by '/', no leading
// slash, "" for the root itself. A path is bytes, not text: it may hold anything
// but NUL.
//
// Values are not safe for concurrent use; each has one owner at a time.
package change

// Event says that Path, or what lies below it, may have changed. It is a hint
// and no instruction: it can be late, double or out of order, and what it
// leads to depends only on what is at Path when somebody looks.
type Event struct {
	Path     string // relative to the root; "" is the root
	Mask     uint32 // inotify(7) bits that caused it; 0 when found by looking
	Cookie   uint32 // the same in both events of one move; 0 where that is not known
	AllBelow bool   // nothing is known of what is below Path: compare it all
	Writing  bool   // a new regular file that its writer may still have open
}
