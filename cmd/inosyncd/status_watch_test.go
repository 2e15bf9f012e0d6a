package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/control"
)

// status --watch says that the daemon is gone, once, and goes on when it is back.
func TestWatchStatusWaits(t *testing.T) {
	dir := t.TempDir()
	d, _ := waiting(t)
	path := filepath.Join(dir, "sock")
	serve := func() *control.Server {
		s, err := control.Serve(path, d, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var files []*os.File
	for _, name := range []string{"out", "err"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	until := func(name, text string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			got, _ := os.ReadFile(filepath.Join(dir, name))
			if strings.Contains(string(got), text) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: got %q, want %q", name, got, text)
			}
		}
	}
	server := serve()
	a := &app{stdout: files[0], stderr: files[1]}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.watchStatus(ctx, control.NewClient(path), true) }()
	until("out", `"state"`)
	_ = server.Close()
	until("err", "waiting for the daemon to come back")
	if err := os.Truncate(filepath.Join(dir, "out"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Order(control.Pause, nil); err != nil {
		t.Fatal(err)
	}
	server = serve()
	until("out", `"HELD"`)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("watchStatus(): got %v, want that it was stopped", err)
	}
	_ = server.Close()
}
