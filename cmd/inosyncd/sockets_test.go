package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestSweepSocketDirs(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	tests := map[string]bool{ // whether it stays
		fmt.Sprintf("inosyncd-%d-123/0", gone.ProcessState.Pid()): false,
		fmt.Sprintf("inosyncd-%d-123", os.Getpid()):               true,
		fmt.Sprintf("other-%d-123", gone.ProcessState.Pid()):      true,
		"inosyncd-": true, "inosyncd-x-1": true, "inosyncd-0-1": true,
	}
	for name := range tests {
		if err := os.MkdirAll(filepath.Join(base, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweepSocketDirs(base)
	for name, stays := range tests {
		if _, err := os.Stat(filepath.Join(base, name)); (err == nil) != stays {
			t.Errorf("%s after the sweep: got %v, want it to stay: %v", name, err, stays)
		}
	}
}
