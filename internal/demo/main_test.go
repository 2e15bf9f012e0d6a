package main

import (
	"testing"

	"inosyncd/internal/lab"
)

// TestRun shows the demo to a test.
func TestRun(t *testing.T) {
	if err := lab.Need("rsync"); err != nil {
		t.Skip(err)
	}
	program, err := lab.BuildInosyncd(t.Context(), t.TempDir(), "-tags", "faultpoints") // see package leak
	if err != nil {
		t.Fatal(err)
	}
	if err := run(program, t.Output()); err != nil {
		t.Error(err)
	}
}
