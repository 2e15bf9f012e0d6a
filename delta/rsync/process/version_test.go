package process

import (
	"context"
	"strings"
	"testing"

	"inosyncd/internal/lab/labtest"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	labtest.Need(t, "rsync")
	v, err := Version(t.Context(), "")
	if err != nil || OlderThan(v, oldest) || strings.Count(v, ".") < 2 {
		t.Errorf("Version: got %q, %v", v, err)
	}
	for _, program := range []string{"/nonexistent", "/bin/true", "/bin/false"} {
		if v, err := Version(t.Context(), program); err == nil {
			t.Errorf("Version(%q): got %q, want an error", program, v)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Version(ctx, ""); err == nil {
		t.Error("Version with an ended context: got no error")
	}
	for v, want := range map[string]bool{
		"3.2.3": true, "3.1.3": true, "2.6.9": true, "3.2.4": false, "3.2.7": false, "3.3.0": false,
		"3.5.0": false, "4.0.0": false, "3.2.4pre1": false, "3.10.0": false, "git": false, "3": false,
	} {
		if got := OlderThan(v, oldest); got != want {
			t.Errorf("OlderThan(%q, oldest): got %v, want %v", v, got, want)
		}
	}
}
