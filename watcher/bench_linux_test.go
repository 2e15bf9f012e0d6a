package watcher

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

const benchDirs = 20_000

// makeTree makes benchDirs directories, 20 in each at most, below dir.
func makeTree(b *testing.B, dir string) {
	b.Helper()
	for i := range benchDirs / 400 {
		for j := range 19 {
			for k := range 20 {
				if err := os.MkdirAll(filepath.Join(dir, fmt.Sprintf("dir%d/dir%d/dir%d", i, j, k)), 0o755); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

func benchOptions(b *testing.B, dir string) Options {
	b.Helper()
	return Options{
		Root: adopted(b, dir), Recursive: true, Mask: usualMask,
		Rules: rules(b, "*.tmp"), Emit: func(change.Event) {},
	}
}

// BenchmarkSetUp also reports the heap that a watched directory takes.
func BenchmarkSetUp(b *testing.B) {
	dir := b.TempDir()
	makeTree(b, dir)
	o := benchOptions(b, dir)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		w, err := Start(b.Context(), "inotify", o)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		n := w.Stats().Watches
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "heapB/dir")
		b.ReportMetric(float64(n), "dirs")
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkSetUpBare is the least that has to be done: a watch on each
// directory by its path, when all are known, and with the walk that finds them.
func BenchmarkSetUpBare(b *testing.B) {
	dir := b.TempDir()
	makeTree(b, dir)
	var paths []string
	walk := func(visit func(path string) error) error {
		return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = visit(path)
			}
			return err
		})
	}
	if err := walk(func(path string) error { paths = append(paths, path); return nil }); err != nil {
		b.Fatal(err)
	}
	bare := func(b *testing.B, each func(visit func(string) error) error) {
		for b.Loop() {
			fd, err := initInotify()
			if err != nil {
				b.Fatal(err)
			}
			if err := each(func(path string) error {
				_, err := unix.InotifyAddWatch(fd, path, always|usualMask)
				return err
			}); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			_ = unix.Close(fd)
			b.StartTimer()
		}
	}
	b.Run("walk", func(b *testing.B) { bare(b, walk) })
	b.Run("known", func(b *testing.B) {
		bare(b, func(visit func(string) error) error {
			for _, path := range paths {
				if err := visit(path); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// BenchmarkExcluded is what the model does for an event that is excluded, and
// BenchmarkEvent for one that is not.
func BenchmarkExcluded(b *testing.B) { benchmarkEvent(b, "some-file.tmp") }
func BenchmarkEvent(b *testing.B)    { benchmarkEvent(b, "some-file.txt") }

func benchmarkEvent(b *testing.B, name string) {
	dir := b.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "some/directory/of/usual/depth"), 0o755); err != nil {
		b.Fatal(err)
	}
	fd, err := initInotify()
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	m := newModel(benchOptions(b, dir), fd, newQueue(0), &counters{}, usualTiming(), nil)
	if err := m.setUp(); err != nil {
		b.Fatal(err)
	}
	ev := event{wd: 6, mask: unix.IN_CLOSE_WRITE, name: []byte(name)}
	if n := m.byWd[6]; n == nil || n.name != "depth" {
		b.Fatal("the watches are numbered otherwise")
	}
	b.ReportAllocs()
	for b.Loop() {
		m.handle(ev)
	}
}
