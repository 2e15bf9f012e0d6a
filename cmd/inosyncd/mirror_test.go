package main

import (
	"errors"
	"testing"

	"inosyncd/internal/source"
)

// TestAstrayIsAlwaysAnError has the source back before anybody has looked.
func TestAstrayIsAlwaysAnError(t *testing.T) {
	m := &mirror{root: source.New(t.TempDir())}
	if err := m.root.Adopt(); err != nil {
		t.Fatal(err)
	}
	if err := m.astray(); !errors.Is(err, source.ErrGone) {
		t.Errorf("astray(): got %v, want ErrGone", err)
	}
}
