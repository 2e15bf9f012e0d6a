package debounce

// Touches reports whether something that is pending or held concerns path: it,
// a directory above it, or anything below it.
func (q *Queue) Touches(path string) bool {
	for f := range q.open.all {
		if f.due() && within(f.path, path) {
			return true
		}
	}
	return q.set.Touches(path)
}

// Touches reports whether something that is pending or held concerns path: it,
// a directory above it, or anything below it.
func (l *Loop) Touches(path string) bool {
	return look(l, func(q *Queue) bool { return q.Touches(path) })
}
