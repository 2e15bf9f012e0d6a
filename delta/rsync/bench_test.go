package rsync

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"inosyncd/delta/rsync/nodetest"
)

// BenchmarkPush pushes one changed file of a few bytes.
func BenchmarkPush(b *testing.B) {
	for _, kind := range slices.Sorted(maps.Keys(nodetest.Kinds)) {
		b.Run(kind, func(b *testing.B) {
			n := newNode(b, kind)
			n.write("d/f")
			n.full()
			i := 0
			for b.Loop() {
				i++
				n.write("d/f=" + strconv.Itoa(i))
				n.Push(b.Context(), set("ic d/f"))
			}
		})
	}
}
