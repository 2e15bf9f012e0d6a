package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestPidFileIsOneDaemons starts and stops daemons side by side: at any time one
// of them has the file, and it is the one at the path.
func TestPidFileIsOneDaemons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	var holders, started atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				p, err := lockPidFile(path)
				if err != nil {
					if !strings.Contains(err.Error(), "already running") {
						t.Error(err)
					}
					continue
				}
				started.Add(1)
				if n := holders.Add(1); n > 1 {
					t.Errorf("daemons that have the file: got %d, want one", n)
				}
				if text, err := os.ReadFile(path); err != nil || string(text) != fmt.Sprintln(os.Getpid()) {
					t.Errorf("the file while a daemon has it: got %q, %v", text, err)
				}
				holders.Add(-1)
				p.release()
			}
		})
	}
	all.Wait()
	if started.Load() == 0 {
		t.Error("daemons that started: got none")
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file after the last stop: got %v, want it gone", err)
	}
}

// TestPidFileOfAnother has somebody replace the file of a daemon that runs.
func TestPidFileOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	p, err := lockPidFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := lockPidFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p.release()
	if !second.there() {
		t.Error("release(): it removed the file of another daemon")
	}
	second.release()
}
