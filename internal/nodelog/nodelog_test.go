package nodelog

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts are the lines of a node without their times.
func texts(b *Book, mirror, node string) []string {
	var all []string
	for _, l := range b.Lines(mirror, node) {
		all = append(all, l.Level.String()+" "+l.Text)
	}
	return all
}

func TestLinesOfANode(t *testing.T) {
	b := New()
	var out bytes.Buffer
	log := slog.New(b.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	www := log.With("mirror", "www")
	a := www.With("node", "a", "x", 1)
	a.Info("pushed", "paths", 3)
	log.Info("watching", "mirrors", 1)
	www.With("node", "b").Error("push failed", "err", "no\n\x1b[31mroute \u202e")
	www.Error("mirror held", "err", "gone")
	log.Info("order on the web page", "order", "pause", "mirror", "www", "node", "a")
	a.Debug("armed")
	a.WithGroup("g").Warn("grouped", "node", "other")
	log.With("mirror", "pub", "node", "a").Info("pushed")

	want := []string{
		"INFO pushed x=1 paths=3", "ERROR mirror held err=gone",
		"INFO order on the web page order=pause", "WARN grouped x=1 g.node=other",
	}
	if diff := cmp.Diff(want, texts(b, "www", "a")); diff != "" {
		t.Errorf("Lines(www, a) (-want +got):\n%s", diff)
	}
	want = []string{`ERROR push failed err="no\n\x1b[31mroute \u202e"`, "ERROR mirror held err=gone"}
	if diff := cmp.Diff(want, texts(b, "www", "b")); diff != "" {
		t.Errorf("Lines(www, b) (-want +got):\n%s", diff)
	}
	if got := texts(b, "nothing", "a"); got != nil {
		t.Errorf("Lines() of nothing: got %q, want none", got)
	}
	// What is handed on is what was asked for, and whole.
	if got := out.String(); strings.Count(got, "\n") != 3 || !strings.Contains(got, "mirror=www node=a") || strings.Contains(got, "pushed") {
		t.Errorf("the log itself: got\n%swant the three lines from warn on", got)
	}
}

func TestBounds(t *testing.T) {
	b := New()
	log := slog.New(b.Handler(slog.DiscardHandler))
	short, long := log.With("mirror", "m", "node", "short"), log.With("mirror", "m", "node", "long")
	for i := range 3 * maxLines {
		short.Info("pushed", "n", i)
		long.Info("pushed", "n", i, "text", strings.Repeat("é", maxLine))
	}
	got := texts(b, "m", "short")
	if last := fmt.Sprintf("INFO pushed n=%d", 3*maxLines-1); len(got) != maxLines || got[maxLines-1] != last {
		t.Errorf("Lines(): got %d, the last %q, want %d, the last %q", len(got), got[len(got)-1], maxLines, last)
	}
	size := 0
	for _, l := range b.Lines("m", "long") {
		size += len(l.Text)
		if len(l.Text) > maxLine+len("…") || strings.ContainsRune(l.Text, '\uFFFD') {
			t.Fatalf("a line: got %d bytes, want at most %d, and whole characters", len(l.Text), maxLine)
		}
	}
	if size > maxBytes || size < maxBytes/2 {
		t.Errorf("Lines() of long lines: got %d bytes, want at most %d and not much less", size, maxBytes)
	}
	for i := range maxNodes {
		log.Info("pushed", "mirror", "m", "node", fmt.Sprint(i))
	}
	if len(b.nodes) != maxNodes || b.Lines("m", "short") != nil || b.Lines("m", "0") == nil {
		t.Errorf("nodes: got %d, want %d without the one that was silent longest", len(b.nodes), maxNodes)
	}
}
