package watcher

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// inChild runs the body of the test that calls it in another process, which
// attr may give another user or namespaces of its own.
func inChild(t *testing.T, attr *syscall.SysProcAttr, body func(t *testing.T)) {
	t.Helper()
	const mark = "WATCHER_TEST_CHILD"
	if os.Getenv(mark) == t.Name() {
		body(t)
		return
	}
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	// Under the race detector a process takes a second to end otherwise.
	cmd.Env = append(os.Environ(), mark+"="+t.Name(), "TMPDIR="+dir, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil && out == nil {
		t.Skipf("needs to be root, or user namespaces: %v", err)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("in the child: %v\n%s", err, out)
	}
}

// namespaces make the child root of its own limits and mounts.
func namespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// setLimit sets a limit of inotify for this user in this user namespace.
func setLimit(t *testing.T, name string, n int) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/user/"+name, []byte(fmt.Sprint(n)), 0); err != nil {
		t.Fatal(err)
	}
}

func TestLimitOfWatches(t *testing.T) {
	inChild(t, namespaces(), func(t *testing.T) {
		var log bytes.Buffer
		o := Options{Recursive: true, Log: slog.New(slog.NewTextHandler(&log, nil))}
		setLimit(t, "max_inotify_watches", 10)
		tr := newTrial(t, t.TempDir(), startShort, o, func(tr *trial) {
			for i := range 10 {
				tr.must(os.MkdirAll(tr.path(fmt.Sprintf("d%d/x/y", i)), 0o755))
			}
		})
		if got := tr.w.Stats(); got.Watches != 10 || got.Unwatched != 21 {
			t.Errorf("Stats(): got %+v, want 10 watches, 21 unwatched", got)
		}
		line := log.String()
		for _, want := range []string{
			"level=ERROR", "unwatched=21", "fs.inotify.max_user_watches", "needed=", "limit=", `"sysctl -w fs.inotify.max_user_watches=`,
		} {
			if !strings.Contains(line, want) {
				t.Errorf("log: got %q, want %q in it", line, want)
			}
		}
		// What is not watched is compared, again and again.
		for range 2 {
			tr.write("d9/x/y/f")
			tr.wantWrites()
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("log: got %d lines, want 1", n)
		}
		setLimit(t, "max_inotify_watches", 1000)
		tr.wantWatches(31)
		tr.barrier()
		if got := tr.w.Stats().Unwatched; got != 0 {
			t.Errorf("Stats().Unwatched with a higher limit: got %d, want 0", got)
		}
		tr.wantAllWatched()
		tr.close()
	})
}

func TestNoWatchesAtAll(t *testing.T) {
	inChild(t, namespaces(), func(t *testing.T) {
		setLimit(t, "max_inotify_watches", 0)
		tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, func(tr *trial) {
			tr.must(os.MkdirAll(tr.path("a/b"), 0o755))
		})
		if got := tr.w.Stats(); got.Watches != 0 || got.Unwatched != 3 {
			t.Errorf("Stats(): got %+v, want 0 watches, 3 unwatched", got)
		}
		tr.write("a/b/f")
		tr.wantWrites()
		tr.must(os.MkdirAll(tr.path("a/c/d"), 0o755))
		setLimit(t, "max_inotify_watches", 100)
		tr.wantAllWatched()
		tr.close()
	})
}

func TestLimitOfInstances(t *testing.T) {
	inChild(t, namespaces(), func(t *testing.T) {
		setLimit(t, "max_inotify_instances", 0)
		_, err := Start(t.Context(), "inotify", Options{Root: adopted(t, t.TempDir())})
		if err == nil || !strings.Contains(err.Error(), "fs.inotify.max_user_instances") {
			t.Errorf("Start: got %v, want an error that names the limit", err)
		}
	})
}

func TestUnreadable(t *testing.T) {
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	inChild(t, nobody, func(t *testing.T) {
		tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, func(tr *trial) {
			tr.must(os.MkdirAll(tr.path("closed/in"), 0o755))
			tr.must(os.Mkdir(tr.path("open"), 0o755))
			tr.must(os.Chmod(tr.path("closed"), 0o100))
		})
		if got := tr.w.Stats(); got.Watches != 2 || got.Unwatched != 1 {
			t.Errorf("Stats(): got %+v, want 2 watches, 1 unwatched", got)
		}
		for range 2 {
			tr.take()
			tr.eventually("a comparison of what is not watched", func() bool {
				return tr.has(change.Event{Path: "closed", AllBelow: true})
			})
		}
		tr.must(os.Chmod(tr.path("closed"), 0o700))
		tr.wantAllWatched()
		tr.barrier()
		if got := tr.w.Stats().Unwatched; got != 0 {
			t.Errorf("Stats().Unwatched when all is readable: got %d, want 0", got)
		}
		tr.close()
	})
}

// Of many directories that cannot be watched, ten are named at level warn, once;
// the rest is counted, and named at level debug.
func TestManyUnreadable(t *testing.T) {
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	inChild(t, nobody, func(t *testing.T) {
		const closed = 13
		var log bytes.Buffer
		o := Options{Recursive: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		tr := newTrial(t, t.TempDir(), startShort, o, func(tr *trial) {
			for i := range closed {
				tr.must(os.Mkdir(tr.path(fmt.Sprint(i)), 0o100))
			}
		})
		if got := tr.w.Stats().Unwatched; got != closed {
			t.Errorf("Stats().Unwatched: got %d, want %d", got, closed)
		}
		for range 2 {
			tr.take()
			tr.eventually("a comparison of what is not watched", func() bool {
				return tr.has(change.Event{Path: "0", AllBelow: true})
			})
		}
		tr.close() // nothing is logged any more
		const said = ` msg="directory is not watched" path=`
		text := log.String()
		if warned, noted := strings.Count(text, "level=WARN"+said), strings.Count(text, "level=DEBUG"+said); warned != maxWarnings || noted != closed-maxWarnings {
			t.Errorf("directories named: got %d at warn, %d at debug, want %d and %d; log:\n%s", warned, noted, maxWarnings, closed-maxWarnings, text)
		}
	})
}

func TestMounts(t *testing.T) {
	mount := func(tr *trial, path string) {
		tr.must(os.MkdirAll(tr.path(path), 0o755))
		tr.must(unix.Mount("tmpfs", tr.path(path), "tmpfs", 0, ""))
	}
	inChild(t, namespaces(), func(t *testing.T) {
		tr := newTrial(t, t.TempDir(), startShort, Options{Recursive: true}, func(tr *trial) {
			mount(tr, "")
			mount(tr, "a/mnt")
			tr.must(os.MkdirAll(tr.path("a/mnt/b/c"), 0o755))
			// A directory that is above itself is no trap.
			tr.must(os.Mkdir(tr.path("loop"), 0o755))
			tr.must(unix.Mount(tr.path(""), tr.path("loop"), "", unix.MS_BIND, ""))
		})
		tr.wantWatches(5) // and not the loop, which is compared
		if got := tr.w.Stats().Unwatched; got != 1 {
			t.Errorf("Stats().Unwatched: got %d, want 1", got)
		}
		tr.write("a/mnt/b/c/f")
		tr.wantWrites()
		tr.must(unix.Unmount(tr.path("loop"), 0))
		tr.must(unix.Unmount(tr.path("a/mnt"), 0))
		tr.eventually("a gap", func() bool { return tr.has(change.Event{Path: "a/mnt", AllBelow: true}) })
		tr.wantAllWatched()

		tr.must(unix.Unmount(tr.path(""), 0))
		<-tr.w.Done()
		if err := tr.w.Err(); !isGone(err) {
			t.Errorf("Err() after the unmount: got %v, want ErrGone", err)
		}
		tr.close()
	})
}
