package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// storms are what breaks a watcher that follows events as instructions: things
// happen in a directory before its watch is set, and to directories faster
// than their events are read. Each does its worst in the directory base.
var storms = []struct {
	name string
	do   func(tr *trial, base string)
}{
	{"directories made and written to at once", func(tr *trial, base string) {
		deep := filepath.Join(base, "a/b/c/d/e")
		tr.must(os.MkdirAll(tr.path(deep), 0o755))
		tr.writeUp(deep, base)
	}},
	{"a tree moved in and written to", func(tr *trial, base string) {
		deep := filepath.Join(base, "t/u/v/w")
		tr.must(os.MkdirAll(tr.path(filepath.Join("..", deep)), 0o755))
		tr.must(os.Mkdir(tr.path(base), 0o755))
		tr.must(os.Rename(tr.path("../"+base+"/t"), tr.path(base+"/t")))
		tr.writeUp(deep, base)
	}},
	{"a directory renamed, and after a while written to", func(tr *trial, base string) {
		tr.must(os.MkdirAll(tr.path(base+"/old/x/y"), 0o755))
		tr.must(os.Rename(tr.path(base+"/old"), tr.path(base+"/new")))
		tr.barrier()
		tr.writeUp(base+"/new/x/y", base)
	}},
	{"a directory renamed, and its name used again", func(tr *trial, base string) {
		tr.must(os.MkdirAll(tr.path(base+"/d/x/y"), 0o755))
		tr.must(os.Rename(tr.path(base+"/d"), tr.path(base+"/d2")))
		tr.must(os.MkdirAll(tr.path(base+"/d/x/y"), 0o755))
		tr.writeUp(base+"/d/x/y", base)
		tr.writeUp(base+"/d2/x/y", base)
	}},
	{"a directory removed and made again", func(tr *trial, base string) {
		for range 3 {
			tr.must(os.MkdirAll(tr.path(base+"/r/x/y"), 0o755))
			tr.writeUp(base+"/r/x/y", base)
			tr.writes = nil // removed again, but for the last round
			tr.must(os.RemoveAll(tr.path(base + "/r")))
		}
		tr.must(os.MkdirAll(tr.path(base+"/r/x/y"), 0o755))
		tr.writeUp(base+"/r/x/y", base)
	}},
	{"directories that change places", func(tr *trial, base string) {
		tr.must(os.MkdirAll(tr.path(base+"/p/1/2"), 0o755))
		tr.must(os.MkdirAll(tr.path(base+"/q/3/4"), 0o755))
		for range 3 {
			tr.must(unix.Renameat2(unix.AT_FDCWD, tr.path(base+"/p"), unix.AT_FDCWD, tr.path(base+"/q"), unix.RENAME_EXCHANGE))
		}
		tr.writeUp(base+"/q/1/2", base)
		tr.writeUp(base+"/p/3/4", base)
	}},
}

// writeUp writes a file into dir and every directory above it, down to base.
func (tr *trial) writeUp(dir, base string) {
	tr.t.Helper()
	for ; strings.HasPrefix(dir, base); dir = filepath.Dir(dir) {
		if !tr.write(fmt.Sprintf("%s/f%d", dir, len(tr.writes))) {
			tr.t.Fatalf("cannot write in %q", dir)
		}
	}
}

func TestStorms(t *testing.T) {
	onEvery(t, func(t *testing.T, s subject) {
		rounds := 3
		if s.exact {
			rounds = 15
		}
		for _, storm := range storms {
			t.Run(storm.name, func(t *testing.T) {
				tr := newTrial(t, t.TempDir(), s.start, Options{Recursive: true}, nil)
				for i := range rounds {
					storm.do(tr, fmt.Sprintf("%d", i))
				}
				tr.wantWrites()
				tr.barrier()
				tr.wantAllWatched()
				tr.close()
			})
		}
	})
}
