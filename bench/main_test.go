package main

import (
	"os"
	"strings"
	"testing"
)

// TestMain lets the test stand in for rsync, as the command does.
func TestMain(m *testing.M) {
	if ranAsRsync(os.Args) {
		return
	}
	os.Exit(m.Run())
}

// TestShort runs all scenarios at their smallest size: it is no measurement, it
// sees that they still run.
func TestShort(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	var out strings.Builder
	if err := run([]string{"-short"}, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios(short) {
		if !strings.Contains(out.String(), s.name) {
			t.Errorf("report: no result of %q", s.name)
		}
	}
	t.Log("\n" + out.String())
}
