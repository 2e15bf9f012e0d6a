package push_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/push"
)

func TestFound(t *testing.T) {
	var f push.Found
	f.Add("a", push.Created)
	f.Add("b", push.Deleted)
	f.Add("c", push.Deleted)
	got := f.Without(func(path string) bool { return path == "b" })
	want := push.Found{Count: [push.Kinds]int{push.Created: 1, push.Deleted: 1}, Names: []push.Named{{"a", push.Created}, {"c", push.Deleted}}}
	if diff := cmp.Diff(want, got); diff != "" || got.Len() != 2 || f.Len() != 3 {
		t.Errorf("Without(b): got length %d of %d (-want +got):\n%s", got.Len(), f.Len(), diff)
	}
}

func TestFoundIsBounded(t *testing.T) {
	var f push.Found
	for i := range 5000 {
		f.Add(strconv.Itoa(i), push.Updated)
	}
	if f.Len() != 5000 || len(f.Names) > 1000 || !f.Full() {
		t.Errorf("after 5000 differences: got %d, %d of them by name", f.Len(), len(f.Names))
	}
	if left := f.Without(func(string) bool { return true }); left.Len() != 5000-len(f.Names) {
		t.Errorf("Without(all): got %d, want those that have no name", left.Len())
	}
}
