package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

// TestScripts runs testdata/*.txt, each against every backend. A script is a
// list of commands, one a line, and what is emitted for them:
//
//	# A comment.
//	before                    commands up to here are done before the watcher starts
//	exclude PATTERN           in "before": a rule
//	mask NAME|NAME            in "before": what is watched for besides the usual
//	mkdir [-p] DIR            touch FILE     write FILE      append FILE
//	mv FROM TO                exchange A B   rm FILE         rm -rf PATH
//	ln OLD NEW                symlink TO NEW chmod MODE PATH truncate FILE
//	tmpfile NAME              open with O_TMPFILE, write, link, write, close
//	create FILE               make it and keep it open; "close FILE" ends that
//	fast                      no barrier after the commands from here on
//	Output:
//	CREATE|ISDIR dir all      mask (LOOK: none), path, and "all" (AllBelow), "writing"
//
// Paths are relative to the root; ../x is beside it and not watched. An exact
// backend has to emit the lines of Output in their order, each once; with
// "fast", where events are looked at when more has happened, every path in
// Output has to be covered, as it has with the other backends at all times.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	onEvery(t, func(t *testing.T, s subject) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				runScript(t, s, readScript(t, file))
			})
		}
	})
}

type script struct {
	before, steps [][]string
	want          []string
}

func readScript(t *testing.T, file string) (s script) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	output := false
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case output:
			s.want = append(s.want, strings.Join(fields, " "))
		case fields[0] == "Output:":
			output = true
		case fields[0] == "before":
			s.before, s.steps = s.steps, nil
		default:
			s.steps = append(s.steps, fields)
		}
	}
	return s
}

func runScript(t *testing.T, s subject, sc script) {
	o := Options{Recursive: true}
	var patterns []string
	prepare := [][]string{}
	for _, step := range sc.before {
		switch step[0] {
		case "exclude":
			patterns = append(patterns, strings.Join(step[1:], " "))
		case "mask":
			o.Mask = usualMask | maskOf(step[1])
		default:
			prepare = append(prepare, step)
		}
	}
	if patterns != nil {
		o.Rules = rules(t, patterns...)
	}
	files := openFiles{}
	tr := newTrial(t, t.TempDir(), s.start, o, func(tr *trial) {
		for _, step := range prepare {
			tr.must(files.do(tr, step))
		}
	})
	exact := s.exact
	for _, step := range sc.steps {
		if step[0] == "fast" {
			exact = false
			continue
		}
		tr.must(files.do(tr, step))
		if exact {
			tr.barrier()
		}
	}
	tr.barrier()
	if exact {
		got := render(slices.DeleteFunc(tr.take(), isCookie))
		if diff := cmp.Diff(sc.want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	} else {
		tr.wantCovered(pathsIn(sc.want))
	}
	tr.close()
}

// openFiles are those between "create" and "close".
type openFiles map[string]*os.File

func (o openFiles) do(tr *trial, step []string) (err error) {
	path := func(i int) string { return tr.path(step[i]) }
	switch strings.Join(step[:min(len(step), 2)], " ") {
	case "mkdir -p":
		return os.MkdirAll(path(2), 0o755)
	case "rm -rf":
		return os.RemoveAll(path(2))
	}
	switch step[0] {
	case "mkdir":
		return os.Mkdir(path(1), 0o755)
	case "touch":
		return writeFile(path(1), "", os.O_CREATE|os.O_WRONLY)
	case "write":
		return writeFile(path(1), "text", os.O_CREATE|os.O_WRONLY)
	case "append":
		return writeFile(path(1), "more", os.O_APPEND|os.O_WRONLY)
	case "mv":
		return unix.Rename(path(1), path(2)) // os.Rename replaces no directory
	case "exchange":
		return unix.Renameat2(unix.AT_FDCWD, path(1), unix.AT_FDCWD, path(2), unix.RENAME_EXCHANGE)
	case "rm":
		return os.Remove(path(1))
	case "ln":
		return os.Link(path(1), path(2))
	case "symlink":
		return os.Symlink(step[1], path(2))
	case "chmod":
		mode, _ := strconv.ParseUint(step[1], 8, 32)
		return os.Chmod(path(2), os.FileMode(mode))
	case "truncate":
		return os.Truncate(path(1), 1)
	case "tmpfile":
		return tmpfile(path(1))
	case "create":
		o[step[1]], err = os.Create(path(1))
		return err
	case "close":
		return o[step[1]].Close()
	}
	return fmt.Errorf("no command %q", step)
}

func writeFile(path, text string, flags int) error {
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return err
	}
	if text != "" {
		_, err = f.WriteString(text)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// tmpfile makes a file that has its name only after it was opened.
func tmpfile(path string) error {
	f, err := os.OpenFile(filepath.Dir(path), unix.O_TMPFILE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString("before"); err != nil {
		return err
	}
	link := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if err := unix.Linkat(unix.AT_FDCWD, link, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW); err != nil {
		return err
	}
	_, err = f.WriteString("after")
	return err
}

// bits are the names of inotify's bits, without IN_, in the order of a line.
var bits = []struct {
	name string
	bit  uint32
}{
	{"CREATE", unix.IN_CREATE},
	{"DELETE", unix.IN_DELETE},
	{"MOVED_FROM", unix.IN_MOVED_FROM},
	{"MOVED_TO", unix.IN_MOVED_TO},
	{"MODIFY", unix.IN_MODIFY},
	{"CLOSE_WRITE", unix.IN_CLOSE_WRITE},
	{"ATTRIB", unix.IN_ATTRIB},
	{"ISDIR", unix.IN_ISDIR},
}

func maskOf(names string) (mask uint32) {
	for _, b := range bits {
		if slices.Contains(strings.Split(names, "|"), b.name) {
			mask |= b.bit
		}
	}
	return mask
}

func render(events []change.Event) []string {
	var lines []string
	for _, ev := range events {
		var names []string
		for _, b := range bits {
			if ev.Mask&b.bit != 0 {
				names = append(names, b.name)
			}
		}
		if names == nil {
			names = []string{"LOOK"}
		}
		line := strings.Join(names, "|") + " " + ev.Path
		if ev.Path == "" {
			line += "."
		}
		if ev.AllBelow {
			line += " all"
		}
		if ev.Writing {
			line += " writing"
		}
		lines = append(lines, line)
	}
	return lines
}

// pathsIn are those of the lines of an Output.
func pathsIn(lines []string) (paths []string) {
	for _, line := range lines {
		path := strings.Fields(line)[1]
		paths = append(paths, strings.TrimPrefix(path, "."))
	}
	return paths
}
