package rsync

import "hash/maphash"

// maxNamed is how many deletions are kept by name: about 2 MB of them.
const maxNamed = 1 << 16

// seed keeps the names of files from being chosen for equal hashes.
var seed = maphash.MakeSeed()

// deletions are entries that a batch would remove. The zero value is none.
type deletions struct {
	n     int             // how many
	paths map[uint64]bool // hashes of the first of them
	sum   uint64          // of the hashes of all
}

func (r *deletions) add(path string) {
	h := maphash.String(seed, path)
	if r.paths[h] {
		return // by two runs of the batch
	}
	r.n++
	r.sum += h
	if r.paths == nil {
		r.paths = map[uint64]bool{}
	}
	if len(r.paths) < maxNamed {
		r.paths[h] = true
	}
}

// within reports whether all of r is in o: of more than maxNamed, whether it is
// the same.
func (r *deletions) within(o *deletions) bool {
	if o.n > maxNamed {
		return r.n == o.n && r.sum == o.sum
	}
	if r.n > o.n {
		return false
	}
	for h := range r.paths {
		if !o.paths[h] {
			return false
		}
	}
	return true
}
