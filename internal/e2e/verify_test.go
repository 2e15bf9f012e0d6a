package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"inosyncd/internal/control"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/status"
)

// verified has the daemon verify its one node and returns how that node stands
// when the verification has ended.
func (s *site) verified() status.Node {
	s.t.Helper()
	c := control.NewClient(filepath.Join(s.dir, "control"))
	_, err := c.Order(s.t.Context(), control.Verify, nil)
	must(s.t, err)
	var n status.Node
	labtest.Eventually(s.t, func() error {
		st, err := c.Status(s.t.Context())
		if err != nil {
			return err
		}
		if n = st.Mirrors[0].Nodes[0]; n.Verification == nil || n.Verification.Running {
			return fmt.Errorf("the verification has not ended: %+v", n.Verification)
		}
		return nil
	})
	return n
}

// The daemon verifies a node without changing it, and resync then repairs also
// what no comparison of sizes and times can see.
func TestVerifyByTheDaemon(t *testing.T) {
	s := newSite(t)
	n := s.local("copy")
	write(t, s.path("a"), "right")
	s.startSynced(s.config("", n), n)
	s.same(n)
	if got := s.verified(); got.Verification.Differences != 0 || got.LastVerified == nil || got.Verification.Error != nil {
		t.Errorf("verification of an equal node: got %+v, want no difference", got.Verification)
	}

	info, err := os.Stat(filepath.Join(n.dst, "a"))
	must(t, err)
	write(t, filepath.Join(n.dst, "a"), "wrong")
	must(t, os.Chtimes(filepath.Join(n.dst, "a"), info.ModTime(), info.ModTime()))
	before := snapshot(t, n.dst)
	got := s.verified().Verification
	if got.Differences != 1 || len(got.First) != 1 || got.First[0] != (status.Difference{Path: "a", Kind: "content"}) {
		t.Errorf("verification: got %+v, want that the content of a differs", got)
	}
	if after := snapshot(t, n.dst); after != before {
		t.Errorf("after a verification: got %s, want the node as it was: %s", after, before)
	}
	c := control.NewClient(filepath.Join(s.dir, "control"))
	_, err = c.Order(t.Context(), control.Resync, nil)
	must(t, err)
	must(t, lab.WaitConverged(labtest.Limit, lab.CompareOptions{Skip: reserved}, s.src, n.dst))
	must(t, c.Wait(t.Context(), ""))
	if got := s.verified(); got.Verification.Differences != 0 {
		t.Errorf("verification after resync: got %+v, want no difference", got.Verification)
	}
}

// snapshot is what is below dir, contents and times included.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	text := ""
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		text += fmt.Sprintln(path, info.Mode(), info.ModTime())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			text += string(data)
			return err
		}
		return nil
	}))
	return text
}
