package logging_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"inosyncd/internal/logging"
)

func TestJSONLinesArePrintable(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"plain", "a b/é", `"a b/é"`},
		{"escape", "\x1b[31m", `"\u001b[31m"`},
		{"delete", "\x7f", `"\u007f"`},
		{"control sequence of one character", "\u009b31m", `"\u009b31m"`},
		{"right to left", "\u202egnp", `"\u202egnp"`},
		{"not assigned, beyond the first plane", "\U000e0001", `"\udb40\udc01"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			logging.New(&out, logging.Options{Format: "json"}).Info("m", "path", tt.path)
			if !bytes.Contains(out.Bytes(), []byte(`"path":`+tt.want+"}\n")) {
				t.Errorf("Info(%q): got %s, want %s in it", tt.path, out.Bytes(), tt.want)
			}
			var line struct{ Path string }
			if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Path != tt.path {
				t.Errorf("Info(%q): it is read back as %q, %v", tt.path, line.Path, err)
			}
		})
	}
}
