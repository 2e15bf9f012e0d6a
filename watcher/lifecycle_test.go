package watcher

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rjeczalik/notify"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

func TestMain(m *testing.M) {
	// This library keeps the goroutines that it has started first: see startNotify.
	events := make(chan notify.EventInfo, 1)
	if err := notify.Watch(os.TempDir(), events, notify.Create); err != nil {
		panic(err)
	}
	notify.Stop(events)
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func isGone(err error) bool { return errors.Is(err, source.ErrGone) }

func TestCloseLeavesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		dir := t.TempDir()
		round := func() {
			tr := newTrial(t, dir, s.start, Options{Recursive: true}, func(tr *trial) {
				tr.must(os.MkdirAll(tr.path("a/b/c"), 0o755))
			})
			tr.must(os.MkdirAll(tr.path("d/e"), 0o755))
			tr.barrier()
			tr.close()
			tr.must(os.RemoveAll(tr.path("")))
		}
		round() // a library may keep a descriptor and goroutines for good
		before, running := descriptors(t, dir), goleak.IgnoreCurrent()
		round()
		goleak.VerifyNone(t, running)
		if after := descriptors(t, dir); len(after) > len(before) {
			t.Errorf("descriptors after Close: got %q, want %q", after, before)
		}
	})
}

func TestStartWithoutARoot(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "root")
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		root := adopted(t, path)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		before := descriptors(t, path)
		o := Options{Root: root, Emit: func(change.Event) {}, Log: slog.New(slog.DiscardHandler)}
		if _, err := Start(t.Context(), s.name, o); !isGone(err) {
			t.Errorf("Start without a root: got %v, want ErrGone", err)
		}
		if after := descriptors(t, path); len(after) > len(before) {
			t.Errorf("descriptors: got %q, want %q", after, before)
		}
	})
}

func TestStartCancelled(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		root := adopted(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		running := goleak.IgnoreCurrent()
		if w, err := Start(ctx, s.name, Options{Root: root, Emit: func(change.Event) {}}); err == nil {
			t.Errorf("Start with a cancelled context: got no error")
			_ = w.Close()
		}
		if s.exact {
			goleak.VerifyNone(t, running)
		}
	})
}

func TestStartUnknown(t *testing.T) {
	_, err := Start(t.Context(), "fanotify", Options{Root: source.New("/")})
	if err == nil || !strings.Contains(err.Error(), `"fanotify"`) {
		t.Errorf("Start(fanotify): got %v, want an error that names it", err)
	}
}

func TestRootGone(t *testing.T) {
	ends := []struct {
		name string
		do   func(tr *trial) error
	}{
		{"removed", func(tr *trial) error { return os.RemoveAll(tr.path("")) }},
		{"renamed", func(tr *trial) error { return os.Rename(tr.path(""), tr.path("../away")) }},
		{"replaced", func(tr *trial) error {
			return unix.Renameat2(unix.AT_FDCWD, tr.path(""), unix.AT_FDCWD, tr.path("../other"), unix.RENAME_EXCHANGE)
		}},
	}
	onEvery(t, func(t *testing.T, s subject) {
		for _, tt := range ends {
			t.Run(tt.name, func(t *testing.T) {
				tr := newTrial(t, t.TempDir(), s.start, Options{Recursive: true}, func(tr *trial) {
					tr.must(os.MkdirAll(tr.path("a/b"), 0o755))
					tr.must(os.Mkdir(tr.path("../other"), 0o755))
				})
				if err := tr.w.Err(); err != nil {
					t.Errorf("Err() of a running watcher: got %v, want nil", err)
				}
				tr.must(tt.do(tr))
				select {
				case <-tr.w.Done():
				case <-time.After(labtest.Limit):
					t.Fatal("Done() was not closed")
				}
				if err := tr.w.Err(); !isGone(err) {
					t.Errorf("Err(): got %v, want ErrGone", err)
				}
				tr.close()
			})
		}
	})
}

func TestNotRecursive(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		tr := newTrial(t, t.TempDir(), s.start, Options{}, func(tr *trial) {
			tr.must(os.MkdirAll(tr.path("old/below"), 0o755))
		})
		tr.must(os.MkdirAll(tr.path("new/below"), 0o755))
		tr.barrier()
		tr.must(os.WriteFile(tr.path("old/file"), nil, 0o600))
		tr.must(os.WriteFile(tr.path("new/file"), nil, 0o600))
		tr.barrier()
		if !tr.covers("new") {
			t.Error("a new directory was not emitted")
		}
		if got := tr.w.Stats().Watches; got != 1 {
			t.Errorf("Stats().Watches: got %d, want 1", got)
		}
		for _, ev := range tr.take() {
			if s.exact && (strings.Contains(ev.Path, "/") || ev.AllBelow) {
				t.Errorf("emitted %+v from below a subdirectory", ev)
			}
		}
		tr.close()
	})
}

func TestExcluded(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		o := Options{Recursive: true, Rules: rules(t, "*.tmp", "/top", "a/private/", "a/x/secret/")}
		if !o.Rules.Match("x.tmp", false) {
			t.Skip("needs the matcher")
		}
		tr := newTrial(t, t.TempDir(), s.start, o, func(tr *trial) {
			tr.must(os.MkdirAll(tr.path("top/deep"), 0o755))
			tr.must(os.MkdirAll(tr.path("a/private/deep"), 0o755))
			tr.must(os.MkdirAll(tr.path("a/x/secret"), 0o755))
		})
		if got := tr.w.Stats().Watches; got != 3 {
			t.Errorf("Stats().Watches at first: got %d, want 3", got)
		}
		for _, file := range []string{"top/f", "top/deep/f", "a/private/deep/f", "f.tmp"} {
			tr.must(os.WriteFile(tr.path(file), nil, 0o600))
		}
		tr.must(os.MkdirAll(tr.path("x.tmp/sub"), 0o755))
		tr.barrier()
		for _, ev := range tr.take() {
			if !isCookie(ev) && (s.exact || ev.Path != "") {
				t.Errorf("emitted %+v, which is excluded", ev)
			}
		}
		// By its move a directory comes under other rules.
		tr.must(os.Rename(tr.path("a"), tr.path("b")))
		tr.must(os.MkdirAll(tr.path("b/top"), 0o755))
		tr.wantWatches(len([]string{"", "b", "b/private", "b/private/deep", "b/top", "b/x", "b/x/secret"}))
		tr.must(os.Rename(tr.path("b"), tr.path("a")))
		tr.wantWatches(len([]string{"", "a", "a/top", "a/x"}))
		tr.close()
	})
}
