package logging_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inosyncd/internal/logging"
)

func TestJournalLines(t *testing.T) {
	var out bytes.Buffer
	log := logging.New(&out, logging.Options{Format: "text", Level: slog.LevelDebug, Journal: true})
	log = log.With("mirror", "www")
	log.Debug("d")
	log.Info("i", "n", 1)
	log.Warn("w")
	log.Error("e", "path", "a\n<0>forged")
	want := "<7>msg=d mirror=www\n<6>msg=i mirror=www n=1\n<4>msg=w mirror=www\n" +
		`<3>msg=e mirror=www path="a\n<0>forged"` + "\n"
	if got := out.String(); got != want {
		t.Errorf("journal lines: got\n%s\nwant\n%s", got, want)
	}
}

func TestNamesCannotForgeLines(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := logging.New(&out, logging.Options{Format: format, Level: slog.LevelInfo})
		log.Info("pushed", "path", "x\n\x1b[2Jy\x80")
		line := strings.TrimSuffix(out.String(), "\n")
		if strings.ContainsAny(line, "\n\x1b") {
			t.Errorf("%s line holds raw control bytes: %q", format, line)
		}
		if format == "json" {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Errorf("json line: %v", err)
			}
			for _, key := range []string{"time", "level", "msg"} {
				if m[key] == nil {
					t.Errorf("json line has no %q: %s", key, line)
				}
			}
		}
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := logging.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := func(s string) {
		t.Helper()
		if _, err := f.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	write("one\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("two\n")
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write("three\n")
	for name, want := range map[string]string{path + ".1": "one\ntwo\n", path: "three\n"} {
		if got, _ := os.ReadFile(name); string(got) != want {
			t.Errorf("%s: got %q, want %q", filepath.Base(name), got, want)
		}
	}
}
