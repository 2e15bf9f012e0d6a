package logging_test

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/logging"
)

func TestSyslog(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") //nolint:usetesting // a socket needs a short path
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "log")
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s, err := logging.OpenSyslog("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text := logging.New(s, logging.Options{Level: slog.LevelDebug, Journal: true})
	json := logging.New(s, logging.Options{Format: "json"})
	for _, tt := range []struct {
		write      func(string, ...any)
		begin, end string
	}{
		{text.Error, "<27>", "]: msg=m path=\"a\\nb\"\n"}, // daemon's, and the priorities of syslog(3)
		{text.Warn, "<28>", "]: msg=m path=\"a\\nb\"\n"},
		{text.Info, "<30>", "]: msg=m path=\"a\\nb\"\n"},
		{text.Debug, "<31>", "]: msg=m path=\"a\\nb\"\n"},
		{json.Error, "<30>", `"msg":"m","path":"a\nb"}` + "\n"},
	} {
		tt.write("m", "path", "a\nb")
		if err := server.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1000)
		n, err := server.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(buf[:n]); !strings.HasPrefix(got, tt.begin) || !strings.Contains(got, " inosyncd[") || !strings.HasSuffix(got, tt.end) {
			t.Errorf("in the syslog: got %q, want %s ... inosyncd[...%s", got, tt.begin, tt.end)
		}
	}
}
