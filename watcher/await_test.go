package watcher

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

// never is longer than a test: with it, only an event can wake.
const never = time.Hour

// ways are changes of the way to dir/a/b/root, where a, b and root are
// directories, and dir/link is a link to a.
var ways = []struct {
	name string
	path string // below dir
	away func(dir string) error
	back func(dir string) error
}{
	{
		"the root renamed", "a/b/root",
		func(dir string) error { return os.Rename(dir+"/a/b/root", dir+"/x") },
		func(dir string) error { return os.Rename(dir+"/x", dir+"/a/b/root") },
	},
	{
		"a directory above it renamed", "a/b/root",
		func(dir string) error { return os.Rename(dir+"/a", dir+"/x") },
		func(dir string) error { return os.Rename(dir+"/x", dir+"/a") },
	},
	{
		"two directories above it renamed", "a/b/root",
		func(dir string) error {
			return errors.Join(os.Rename(dir+"/a/b", dir+"/a/x"), os.Rename(dir+"/a", dir+"/x"))
		},
		func(dir string) error {
			return errors.Join(os.Rename(dir+"/x", dir+"/a"), os.Rename(dir+"/a/x", dir+"/a/b"))
		},
	},
	{
		"a link above it changed", "link/b/root",
		func(dir string) error { return relink(dir+"/link", "elsewhere") },
		func(dir string) error { return relink(dir+"/link", "a") },
	},
	{
		"what a link leads to renamed", "link/b/root",
		func(dir string) error { return os.Rename(dir+"/a", dir+"/x") },
		func(dir string) error { return os.Rename(dir+"/x", dir+"/a") },
	},
}

func relink(link, target string) error {
	if err := os.Symlink(target, link+".new"); err != nil {
		return err
	}
	return os.Rename(link+".new", link)
}

// makeWay makes what ways start from.
func makeWay(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err == nil {
		err = errors.Join(os.MkdirAll(dir+"/a/b/root", 0o755), os.Symlink("a", dir+"/link"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// inBackground runs await without a timer. The channel has its result.
func inBackground(ctx context.Context, path string, ok func() bool) <-chan error {
	result := make(chan error, 1)
	go func() { result <- await(ctx, path, never, ok) }()
	return result
}

func wantSoon(t *testing.T, result <-chan error, want error) {
	t.Helper()
	select {
	case err := <-result:
		if !errors.Is(err, want) {
			t.Fatalf("await: got %v, want %v", err, want)
		}
	case <-time.After(labtest.Limit):
		t.Fatalf("await does not return, want %v", want)
	}
}

func TestEventsWakeAwait(t *testing.T) {
	for _, tt := range ways {
		t.Run(tt.name, func(t *testing.T) {
			dir := makeWay(t)
			root := source.New(filepath.Join(dir, tt.path))
			if err := root.Adopt(); err != nil {
				t.Fatal(err)
			}
			looked := make(chan struct{}, 1000)
			gone := inBackground(t.Context(), root.Path(), func() bool {
				looked <- struct{}{}
				return root.Check() != nil
			})
			<-looked // what happens from now on has to wake it
			if err := tt.away(dir); err != nil {
				t.Fatal(err)
			}
			wantSoon(t, gone, nil)

			back := inBackground(t.Context(), root.Path(), func() bool {
				looked <- struct{}{}
				return root.Check() == nil
			})
			<-looked
			if err := tt.back(dir); err != nil {
				t.Fatal(err)
			}
			wantSoon(t, back, nil)
		})
	}
}

func TestAwaitSeesAPathGrow(t *testing.T) {
	dir := makeWay(t)
	for range 40 {
		root := source.New(dir + "/new/c/d/e/root")
		result := inBackground(t.Context(), root.Path(), func() bool { return root.Adopt() == nil })
		if err := os.MkdirAll(root.Path(), 0o755); err != nil {
			t.Fatal(err)
		}
		wantSoon(t, result, nil)
		if err := os.RemoveAll(dir + "/new"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAwaitAdopts(t *testing.T) {
	root := source.New(t.TempDir())
	if err := Await(t.Context(), root, func(error) {}); err != nil || root.Check() != nil {
		t.Errorf("Await: got %v and then %v, want the directory adopted", err, root.Check())
	}
}

func TestAwaitWantsTheSameDirectory(t *testing.T) {
	dir := makeWay(t)
	root := source.New(dir + "/a")
	err := errors.Join(root.Adopt(), os.Rename(dir+"/a", dir+"/x"), os.Mkdir(dir+"/a", 0o755))
	if err != nil {
		t.Fatal(err)
	}
	away := make(chan error, 1000)
	result := make(chan error, 1)
	go func() { result <- Await(t.Context(), root, func(err error) { away <- err }) }()
	wantAway := func(want string) {
		t.Helper()
		for err := error(nil); err == nil || !strings.Contains(err.Error(), want); {
			select {
			case err = <-away:
			case <-time.After(10 * time.Second):
				t.Fatalf("Await: nothing is said of %q", want)
			}
		}
	}
	wantAway("another directory")
	if err := os.Rename(dir+"/a", dir+"/y"); err != nil {
		t.Fatal(err)
	}
	wantAway("no such file")
	if err := os.Rename(dir+"/x", dir+"/a"); err != nil {
		t.Fatal(err)
	}
	wantSoon(t, result, nil)
	if err := root.Check(); err != nil {
		t.Errorf("Check() after Await: got %v, want the directory that was adopted first", err)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	looked := make(chan struct{}, 1000)
	result := inBackground(ctx, filepath.Join(t.TempDir(), "none"), func() bool {
		looked <- struct{}{}
		return false
	})
	<-looked
	cancel()
	wantSoon(t, result, context.Canceled)
}

func TestGuard(t *testing.T) {
	dir := makeWay(t)
	root := source.New(dir + "/a/b/root")
	if err := root.Adopt(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	silent := Guard(ctx, root)
	cancel()
	astray := Guard(t.Context(), root)
	if err := os.Rename(dir+"/a", dir+"/x"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-astray:
	case <-time.After(labtest.Limit):
		t.Fatal("Guard says nothing of a directory above the root that was renamed")
	}
	select {
	case <-silent:
		t.Error("Guard spoke though its context had ended before")
	default:
	}
}

func TestWayTo(t *testing.T) {
	dir := makeWay(t)
	for link, target := range map[string]string{
		"abs": dir + "/a/b", "up": "a/../link/./b", "loop": "loop", "dangling": "none/where",
	} {
		if err := os.Symlink(target, dir+"/"+link); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, path string
		want       []string // below dir
	}{
		{"directories", "a/b/root", []string{"/a", "/a/b", "/a/b/root"}},
		{"up to what is missing", "a/none/more", []string{"/a", "/a/none"}},
		{"a link", "link/b", []string{"/a", "/a/b", "/link"}},
		{"an absolute link", "abs/root", []string{"/a", "/a/b", "/a/b/root", "/abs"}},
		{"dots in a link", "up/root", []string{"/a", "/a/b", "/a/b/root", "/link", "/up"}},
		{"a link to nothing", "dangling/x", []string{"/dangling", "/none"}},
		{"a loop", "loop/x", []string{"/loop"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, entry := range slices.Sorted(maps.Keys(wayTo(filepath.Join(dir, tt.path)))) {
				if len(entry) > len(dir) {
					got = append(got, entry[len(dir):])
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("wayTo(%q) (-want +got):\n%s", tt.path, diff)
			}
		})
	}
}
