package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"inosyncd/config"
	"inosyncd/delta/rsync/probe"
	"inosyncd/internal/lab/labtest"
)

// limitsDir is a directory as /proc/sys/fs/inotify is.
func limitsDir(t *testing.T, watches, queued, instances int) string {
	t.Helper()
	dir := t.TempDir()
	for name, n := range map[string]int{"max_user_watches": watches, "max_queued_events": queued, "max_user_instances": instances} {
		if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendln(nil, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestInotifyLimits(t *testing.T) {
	of := func(dirs int, entries uint64) func() tree {
		return func() tree { return tree{dirs: dirs, Tree: probe.Tree{Entries: entries}} }
	}
	for _, tt := range []struct {
		name                       string
		watches, queued, instances int
		trees                      []func() tree
		want                       string
	}{
		{"enough", 100, 100, 10, []func() tree{of(40, 50), of(40, 60)}, "ok watches: needed: 80 of 100"},
		{"tight", 100, 100, 10, []func() tree{of(41, 50), of(40, 50)}, "warning watches: needed: 81 of 100"},
		{"too few", 100, 100, 10, []func() tree{of(60, 50), of(60, 50)}, "fault watches: needed: 120 of 100 (fs.inotify.max_user_watches): some directories would only be compared from time to time; sysctl -w fs.inotify.max_user_watches=256"},
		{"short queue", 100, 100, 10, []func() tree{of(1, 101)}, "note event queue: 100 events (fs.inotify.max_queued_events): changes of more entries at once can overflow it, and the tree is compared then; sysctl -w fs.inotify.max_queued_events=128"},
		{"queues are apart", 100, 100, 10, []func() tree{of(1, 99), of(1, 99)}, "ok event queue: 100 events"},
		{"huge tree", 100, 100, 10, []func() tree{of(1, 1<<40)}, "note event queue: 100 events (fs.inotify.max_queued_events): changes of more entries at once can overflow it, and the tree is compared then; sysctl -w fs.inotify.max_queued_events=262144"},
		{"instances", 100, 100, 1, []func() tree{of(1, 1), of(1, 1)}, "fault instances: needed: 2 of 1"},
		{"unknown", 0, 0, 0, []func() tree{of(1, 1)}, "note inotify: the limits cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			for _, f := range inotifyLimits(limitsDir(t, tt.watches, tt.queued, tt.instances)).findings(tt.trees) {
				fmt.Fprintf(&got, "\n%s %s: %s; %s", f.Grade, f.About, f.Text, f.Cure)
			}
			if !strings.Contains(got.String(), "\n"+tt.want) {
				t.Errorf("findings: got%s\nwant %q", &got, tt.want)
			}
		})
	}
	if got := inotifyLimits("/nonexistent"); got != (kernelLimits{}) {
		t.Errorf("inotifyLimits: got %v, want none", got)
	}
}

// remoteSite is a configuration and what a look at it needs.
func remoteSite(t *testing.T, text string) *remote {
	t.Helper()
	return &remote{cfg: loaded(t, text), log: slog.New(slog.DiscardHandler), sockets: labtest.Dir(t), sysctls: limitsDir(t, 1000, 1000, 10)}
}

func TestScan(t *testing.T) {
	src := t.TempDir()
	for _, file := range []string{"a", "d/b", "d/e/c", "cache/x/y", "d/z.tmp"} {
		path := filepath.Join(src, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("four"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", src+"/link"); err != nil {
		t.Fatal(err)
	}
	text := "wpath: " + src + "\nrnodes: [host:/x]\nrexcludes: [/cache/, '*.tmp']\n"
	for recursive, want := range map[string]tree{
		"true":  {dirs: 3, Tree: probe.Tree{Bytes: 12, Entries: 7}}, // . a d link d/b d/e d/e/c
		"false": {dirs: 1, Tree: probe.Tree{Bytes: 4, Entries: 4}},  // . a d link
	} {
		m := loaded(t, text+"recursive: "+recursive+"\n").Mirrors[0]
		if got := scan(t.Context(), m); got != want {
			t.Errorf("scan(recursive: %s): got %+v, want %+v", recursive, got, want)
		}
	}
	m := config.Mirror{WPath: src + "/gone/", Recursive: true}
	if got := scan(t.Context(), m); got.gone == nil || got.findings()[0].Grade != probe.Fault {
		t.Errorf("scan of what is not there: got %+v", got)
	}
}

// The blocks come in the order of the configuration, however long each takes,
// and a tree that is larger than the limit of watches is a fault.
func TestRemoteBlocks(t *testing.T) {
	program, err := exec.LookPath("rsync")
	if err != nil {
		t.Skip("needs rsync")
	}
	src, dst := t.TempDir(), t.TempDir()
	text := "\nrsync: " + program + "\nmirrors:\n"
	for _, name := range []string{"one", "two"} {
		text += "- {name: " + name + ", wpath: " + src + ", rnodes: [" + dst + "/" + name + "a, " + dst + "/" + name + "b, {target: " + dst + "/off, enabled: false}]}\n"
	}
	text += "- {name: off, enabled: false, wpath: " + src + ", rnodes: [" + dst + "/c]}\n"
	r := remoteSite(t, text)
	r.sysctls = limitsDir(t, 1, 1000, 10)
	var out bytes.Buffer
	if err := r.run(t.Context(), &out); !errors.Is(err, errReported) {
		t.Errorf("run: got %v, want that it failed", err)
	}
	var titles []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "  ") {
			titles = append(titles, strings.TrimSpace(strings.NewReplacer(src, "S", dst, "D").Replace(line)))
		}
	}
	want := []string{
		"mirror one: S/", "node D/onea/ of one", "node D/oneb/ of one",
		"mirror two: S/", "node D/twoa/ of two", "node D/twob/ of two", "this machine",
	}
	if len(titles) != len(want)+1 || fmt.Sprint(titles[:len(want)]) != fmt.Sprint(want) {
		t.Fatalf("run: got\n%s", &out)
	}
	if got := titles[len(want)]; !strings.HasPrefix(got, "nodes: 4, with faults: 0; faults: 1, ") {
		t.Errorf("run: got %q at the end", got)
	}
	if want := "  fault    watches: needed: 2 of 1 (fs.inotify.max_user_watches)"; !strings.Contains(out.String(), want) {
		t.Errorf("run: got\n%swant %q", &out, want)
	}
	if line := regexp.MustCompile(`(?m)^  (ok|note|warning|fault) +[a-z ]+: .+$`); strings.Count(out.String(), "\n  ") != len(line.FindAllString(out.String(), -1)) {
		t.Errorf("run: got\n%swant every finding to be a line", &out)
	}
}

// A signal ends the look at once, whatever a node does.
func TestRemoteStopped(t *testing.T) {
	labtest.Need(t, "rsync")
	silent := labtest.Silent(t)
	t.Setenv("XDG_RUNTIME_DIR", labtest.Dir(t))
	file := filepath.Join(t.TempDir(), "conf.yaml")
	text := fmt.Sprintf("wpath: %s\nrnodes: ['rsync://127.0.0.1:%d/m/']\ntimeout: 1h\n", t.TempDir(), silent.Port())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := make(chan int)
	go func() { code <- run([]string{"check", "--remote", "-c", file}, &out, &errs) }()
	labtest.Eventually(t, func() error {
		if silent.Connections() == 0 {
			return errors.New("nobody has come")
		}
		return nil
	})
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitSignal+int(syscall.SIGINT) {
		t.Errorf("check --remote: got exit code %d\n%s%s", got, &out, &errs)
	}
}
