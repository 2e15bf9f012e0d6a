package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"inosyncd/internal/lab/labtest"
)

// TestMain lets the test stand in for rsync, as the command does.
func TestMain(m *testing.M) {
	if ranAsRsync(os.Args) {
		return
	}
	os.Exit(m.Run())
}

// TestShort runs all scenarios at their smallest size. It is no measurement: it
// sees that they still run, and that everything has arrived on inosyncd's nodes,
// which are equal to the source. How the others fare is their affair.
func TestShort(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	labtest.Need(t, "rsync", "ssh", "sshd", "ssh-keygen")
	var progress strings.Builder
	b, err := newBench(short, &progress)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(b.dir)
	for _, s := range scenarios(short) {
		before := len(b.report.results)
		if err := s.run(b); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		wantResult(t, s.name, ours, b.report.results[before:])
	}
	for _, res := range b.report.results {
		if res.more && res.program == ours {
			t.Errorf("%s, %s, %s: got %v, want it to be finished", res.label, res.measure, res.program, res)
		}
	}
	if progress.Len() > 0 {
		t.Logf("progress:\n%s", progress.String())
	}
	t.Log("\n" + document(here(b.dir), &b.report))
}

func wantResult(t *testing.T, scenario, program string, results []result) {
	t.Helper()
	for _, res := range results {
		if res.program == program && res.value > 0 {
			return
		}
	}
	t.Errorf("%s: no result of %s", scenario, program)
}

// TestTreeCPU wants work to be seen.
func TestTreeCPU(t *testing.T) {
	before, began := treeCPU(os.Getpid()), worked(t)
	for worked(t)-began < 50*time.Millisecond {
		_ = number(1 << 30)
	}
	if got := treeCPU(os.Getpid()) - before; got < 20*time.Millisecond {
		t.Errorf("treeCPU: got %v more after 50ms of work, want some", got)
	}
}

// worked is the time that the process has had a processor, which may be much
// less than has passed.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
