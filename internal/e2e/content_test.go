package e2e_test

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// TestRewriteOfTheSameSize rewrites a file with its size kept, and its time as
// far as rsync's quick check looks, or further.
func TestRewriteOfTheSameSize(t *testing.T) {
	t.Parallel()
	second := time.Unix(1_700_000_000, 0)
	tests := []struct {
		name          string
		before, after time.Time // modification times
	}{
		{"in the same second", second.Add(100), second.Add(200)},
		{"at the same time", second.Add(100), second.Add(100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			n := s.local("local")
			write(t, s.path("file"), "before")
			must(t, os.Chtimes(s.path("file"), tt.before, tt.before))
			s.startSynced(s.config("", n), n)
			holds(t, n.dst+"/file", "before")

			write(t, s.path("file"), "after!")
			must(t, os.Chtimes(s.path("file"), tt.after, tt.after))
			holds(t, n.dst+"/file", "after!")
			s.same(n)
		})
	}
}

// TestFileWithSeveralNames writes to a file through one of its names, which is
// the one that inotify tells.
func TestFileWithSeveralNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.MkdirAll(s.path("d/deep"), 0o755))
	write(t, s.path("file"), "before")
	must(t, os.Link(s.path("file"), s.path("d/link")))
	must(t, os.Link(s.path("file"), s.path("d/deep/link")))
	must(t, os.Link(s.path("file"), s.dir+"/outside"))
	s.startSynced(s.config("schedule: \"\"", n), n)
	for i, name := range []string{"d/link", "file", "d/deep/link"} {
		content := fmt.Sprint("after! ", i)
		write(t, s.path(name), content)
		for _, other := range []string{"file", "d/link", "d/deep/link"} {
			holds(t, n.dst+"/"+other, content)
		}
	}
	s.same(n)
}

// TestRewritesInARow rewrites a file with its size kept, faster than clocks
// tick, while it is being sent again and again. The last version counts.
func TestRewritesInARow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	s.startSynced(s.config("edelay: 0\npush_rate: 1000\npush_burst: 1000", n), n)
	for round := range 10 {
		last := ""
		for i := range 300 {
			last = fmt.Sprintf("%02d.%04d", round, i)
			write(t, s.path("file"), last)
		}
		holds(t, n.dst+"/file", last)
	}
	s.same(n)
}

// TestNewFileWaitsForItsWriter writes new files slowly, also in a directory that
// comes with them. What else changes is sent meanwhile; they come when they are
// closed, not before.
func TestNewFileWaitsForItsWriter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	must(t, os.Mkdir(s.path("old"), 0o755))
	s.startSynced(s.config("eopen: 10m", n), n)

	elsewhere := s.dir + "/elsewhere"
	must(t, os.MkdirAll(elsewhere+"/deep", 0o755))
	names := []string{"slow", "old/slow", "new/slow", "new/deep/slow"}
	var files []*os.File
	for _, path := range []string{s.path("slow"), s.path("old/slow"), elsewhere + "/slow", elsewhere + "/deep/slow"} {
		f, err := os.Create(path)
		must(t, err)
		defer f.Close()
		files = append(files, f)
	}
	must(t, os.Rename(elsewhere, s.path("new")))
	for i, part := range []string{"one ", "two ", "three"} {
		for _, f := range files {
			_, err := f.WriteString(part)
			must(t, err)
		}
		for _, marker := range []string{"marker", "old/marker", "new/marker", "new/deep/marker"} {
			marker += string('0' + rune(i))
			write(t, s.path(marker), part)
			holds(t, n.dst+"/"+marker, part)
		}
		for _, name := range names {
			if exists(n.dst + "/" + name) {
				t.Errorf("%q is on the node while it is written", name)
			}
		}
	}
	for i, f := range files {
		must(t, f.Close())
		holds(t, n.dst+"/"+names[i], "one two three")
	}
	s.same(n)
}

// TestWriterThatNeverCloses sees that eopen bounds the wait.
func TestWriterThatNeverCloses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := s.local("local")
	s.startSynced(s.config("eopen: 300ms", n), n)
	f, err := os.Create(s.path("open"))
	must(t, err)
	defer f.Close()
	_, err = f.WriteString("so far")
	must(t, err)
	holds(t, n.dst+"/open", "so far")
	_, err = f.WriteString(", and the rest")
	must(t, err, f.Close())
	holds(t, n.dst+"/open", "so far, and the rest")
}
