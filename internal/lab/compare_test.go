package lab_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// must fails the test on an error of its own making.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

var stamp = time.Unix(1_700_000_000, 123_456_789)

// twins makes two equal trees.
func twins(t *testing.T) (a, b string) {
	t.Helper()
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		must(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
		write(t, filepath.Join(dir, "d/f"), "content")
		write(t, filepath.Join(dir, "g"), "")
		must(t, os.Symlink("g", filepath.Join(dir, "l")))
		settle(t, dir)
	}
	return dirs[0], dirs[1]
}

// settle gives everything in the tree the same times, links too.
func settle(t *testing.T, dir string) {
	t.Helper()
	at := unix.NsecToTimespec(stamp.UnixNano())
	for _, name := range []string{"d/f", "d", "g", "l", "."} {
		err := unix.UtimesNanoAt(unix.AT_FDCWD, filepath.Join(dir, name), []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		o      lab.CompareOptions
		want   []string // $A and $B stand for the trees
	}{
		{"equal", func(*testing.T, string) {}, lab.CompareOptions{HardLinks: true, Xattrs: true}, []string{}},
		{"content of the same size and time", func(t *testing.T, dir string) {
			write(t, dir+"/d/f", "conTent")
		}, lab.CompareOptions{}, []string{`"d/f": content differs from byte 3 on`}},
		{"size", func(t *testing.T, dir string) {
			write(t, dir+"/d/f", "more content")
		}, lab.CompareOptions{}, []string{`"d/f": size 7 and 12`}},
		{"mode", func(t *testing.T, dir string) {
			must(t, unix.Chmod(dir+"/g", 0o4711))
		}, lab.CompareOptions{}, []string{`"g": mode 0644 and 04711`}},
		{"type", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/g"), os.Symlink("d", dir+"/g"))
		}, lab.CompareOptions{}, []string{`"g": type file and link`}},
		{"a link's target", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/l"), os.Symlink("h\n", dir+"/l"))
		}, lab.CompareOptions{}, []string{`"l": link to "g" and to "h\n"`}},
		{"missing", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir+"/d"))
		}, lab.CompareOptions{}, []string{`"d": only in "$A"`}},
		{"additional, odd", func(t *testing.T, dir string) {
			must(t, os.MkdirAll(dir+"/x\n\xff/y", 0o755))
		}, lab.CompareOptions{}, []string{`"x\n\xff": only in "$B"`}},
		{"skipped", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir+"/d"))
		}, lab.CompareOptions{Skip: func(path string, dir bool) bool { return dir && path == "d" }}, []string{}},
		{"hard links, not asked", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/g"), os.Link(dir+"/d/f", dir+"/g"))
		}, lab.CompareOptions{}, []string{`"g": size 0 and 7`}},
		{"hard links", func(t *testing.T, dir string) {
			must(t, os.Remove(dir+"/g"), os.Link(dir+"/d/f", dir+"/g"))
		}, lab.CompareOptions{HardLinks: true}, []string{
			`"d/f": same file as "" and as "d/f"`, `"g": size 0 and 7`, `"g": same file as "" and as "d/f"`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := twins(t)
			tt.change(t, b)
			settle(t, b)
			got, err := lab.Compare(a, b, tt.o)
			must(t, err)
			want := strings.NewReplacer("$A", a, "$B", b)
			for i := range tt.want {
				tt.want[i] = want.Replace(tt.want[i])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Compare (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareTimes(t *testing.T) {
	for _, name := range []string{"d", "d/f", "l", "."} {
		a, b := twins(t)
		at := unix.NsecToTimespec(stamp.UnixNano() + 1)
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, filepath.Join(b, name), []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW))
		got, err := lab.Compare(a, b, lab.CompareOptions{})
		must(t, err)
		want := []string{fmt.Sprintf("%q: modified 2023-11-14T22:13:20.123456789Z and 2023-11-14T22:13:20.12345679Z", name)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Compare after one nanosecond (-want +got):\n%s", diff)
		}
	}
}

func TestCompareOwnersAndAttributes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give a file away")
	}
	a, b := twins(t)
	must(t, os.Lchown(b+"/l", 1, 2))
	attributes := unix.Setxattr(b+"/d/f", "user.k", []byte("v"), 0) == nil
	want := []string{`"l": owner 0 and 1`, `"l": group 0 and 2`}
	if attributes { // not every file system has them
		want = append([]string{`"d/f": attributes [] and [user.k="v"]`}, want...)
	}
	got, err := lab.Compare(a, b, lab.CompareOptions{Xattrs: true})
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Compare (-want +got):\n%s", diff)
	}
}

func TestCompareMissingTree(t *testing.T) {
	a, b := twins(t)
	must(t, os.RemoveAll(b))
	if diff, err := lab.Compare(a, b, lab.CompareOptions{}); err == nil {
		t.Errorf("Compare with a missing tree: got %q and no error", diff)
	}
}

// TestCompareAgreesWithRsync copies what a storm has left with rsync itself.
func TestCompareAgreesWithRsync(t *testing.T) {
	labtest.Need(t, "rsync")
	src, dst := t.TempDir(), t.TempDir()
	must(t, lab.NewStorm(src, lab.StormOptions{Seed: 3, HardLinks: true}).Step(500))
	out, err := exec.Command("rsync", "-aH", "--modify-window=-1", src+"/", dst+"/").CombinedOutput()
	if err != nil {
		t.Fatalf("rsync: %v\n%s", err, out)
	}
	diff, err := lab.Compare(src, dst, lab.CompareOptions{HardLinks: true})
	if err != nil || len(diff) > 0 {
		t.Errorf("Compare after rsync -aH: got %d differences, %v, want none:\n%.2000s", len(diff), err, strings.Join(diff, "\n"))
	}
}
