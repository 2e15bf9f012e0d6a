// Package e2e_test tries the whole daemon out as its users run it: as a process,
// with stock rsync and sshd at the other ends, on real trees.
//
// # Ordering
//
// Tests are independent of one another and run side by side, each with a source,
// nodes and a daemon of its own.
//
// # Blocking and shutdown
//
// No test waits a fixed time for something to happen: it polls for the outcome
// or waits for a line of the log, up to labtest.Limit. Every process that a test
// starts ends with it.
package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"inosyncd/internal/lab"
	"inosyncd/internal/leak"
)

// binary is the daemon, built with the race detector: a race that it finds
// ends it with exit code 66 and is in the log of the test. It looks at what it
// leaves, see package leak.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = lab.BuildInosyncd(context.Background(), dir, "-race", "-tags", "faultpoints"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// A second's sleep at the end of every program is the race detector's own.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Most of the time of most tests is waiting.
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	flag.Parse()
	if err := flag.Set("rapid.checks", strconv.Itoa((*histories+lanes-1)/lanes)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// For the daemons whose end no test sees.
	leaks := filepath.Join(dir, "leaks")
	if err := errors.Join(os.Mkdir(leaks, 0o700), os.Setenv(leak.Dir, leaks)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return max(m.Run(), tellLeaks(leaks))
}

// tellLeaks prints what any daemon has left and returns 1 if there is something.
func tellLeaks(dir string) int {
	files, _ := filepath.Glob(dir + "/*")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		fmt.Fprintf(os.Stderr, "process %s has left something:\n%s", filepath.Base(file), text)
	}
	return min(1, len(files))
}
