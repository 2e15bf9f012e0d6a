package watcher

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/internal/filter"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

func TestLibrariesFollowDirectories(t *testing.T) {
	tests := []struct {
		name   string
		before []string // directories
		do     func(r *rig)
		want   []string // paths that events cover
	}{
		{"a file", nil, func(r *rig) { r.write("f") }, []string{"f"}},
		{"a chain of new directories", nil, func(r *rig) {
			r.mkdir("a/b/c/d")
			r.write("a/b/c/d/f")
		}, []string{"a", "a/b/c/d/f"}},
		{"a name that ends in dots", []string{"d...", "..."}, func(r *rig) {
			r.write("d.../f")
			r.write(".../f")
		}, []string{"d.../f", ".../f"}},
		{"renamed", []string{"a/b"}, func(r *rig) { r.rename("a", "c") }, []string{"a", "c/b"}},
		{"renamed and back", []string{"a/b"}, func(r *rig) {
			r.rename("a", "c")
			r.rename("c", "a")
		}, []string{"a/b"}},
		{"renamed and made again", []string{"a/b"}, func(r *rig) {
			r.rename("a", "c")
			r.mkdir("a/b")
		}, []string{"a/b", "c/b"}},
		{"removed and made again", []string{"a/b"}, func(r *rig) {
			for range 10 {
				r.remove("a")
				r.mkdir("a/b")
			}
		}, []string{"a/b"}},
		{"exchanged", []string{"a/x", "b/y"}, func(r *rig) {
			r.must(unix.Renameat2(unix.AT_FDCWD, r.path("a"), unix.AT_FDCWD, r.path("b"), unix.RENAME_EXCHANGE))
		}, []string{"a/y", "b/x"}},
		{"moved down into its successor", []string{"a/k", "n"}, func(r *rig) {
			r.rename("a", "n/k")
			r.rename("n", "a")
		}, []string{"a/k/k"}},
		{"moved in", nil, func(r *rig) {
			r.mkdir("../out/x/y")
			r.rename("../out/x", "x")
		}, []string{"x/y"}},
		{"moved out", []string{"x/y", "z"}, func(r *rig) { r.rename("x", "../x") }, []string{"x"}},
		{"replaced by a file", []string{"x/y"}, func(r *rig) {
			r.remove("x")
			r.write("x")
		}, []string{"x"}},
		{"replaced by a link", []string{"x/y", "z"}, func(r *rig) {
			r.remove("x")
			r.must(os.Symlink("z", r.path("x")))
		}, []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onLibraries(t, func(_ *testing.T, r *rig) {
				for _, dir := range tt.before {
					r.mkdir(dir)
				}
				r.watch(nil)
				tt.do(r)
				r.wantCovered(tt.want...)
				r.writeEverywhere("w1")
				r.writeEverywhere("w2")
			})
		})
	}
}

// TestLibrariesKeepUpWithChaos makes, renames, moves and removes directories
// at random and wants the tree to be the real one when that is over.
func TestLibrariesKeepUpWithChaos(t *testing.T) {
	const rounds, steps = 4, 150
	onLibraries(t, func(t *testing.T, r *rig) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		name := func() string { return string(rune('a' + rng.IntN(4))) }
		out := filepath.Join(filepath.Dir(r.root), "out")
		r.mkdir("../out")
		r.watch(nil)
		for round := range rounds {
			for range steps {
				dirs := r.dirs()
				from, to := dirs[rng.IntN(len(dirs))], join(dirs[rng.IntN(len(dirs))], name())
				switch n := rng.IntN(10); {
				case n < 5:
					_ = os.Mkdir(r.path(to), 0o755)
				case from == "":
				case n < 7:
					_ = os.Rename(r.path(from), r.path(to))
				case n < 8:
					_ = os.Rename(r.path(from), filepath.Join(out, name()))
				case n < 9:
					_ = os.Rename(filepath.Join(out, name()), r.path(to))
				default:
					_ = os.RemoveAll(r.path(from))
				}
			}
			r.writeEverywhere(fmt.Sprintf("w%d", round))
		}
		r.must(r.w.Close())
		if diff := cmp.Diff(r.dirs(), watched(r.w)); diff != "" {
			t.Errorf("directories that are watched (-want +got):\n%s", diff)
		}
		if gaps := r.w.Stats().Gaps; gaps != 0 {
			t.Errorf("Stats().Gaps: got %d, want 0: nothing was to be lost", gaps)
		}
	})
}

// watched are the directories in the tree of a closed watcher.
func watched(p *portable) []string {
	var paths []string
	for _, d := range p.dirs.owners {
		paths = append(paths, p.dirs.rel(d))
	}
	slices.SortFunc(paths, func(a, b string) int { return slices.Compare(split(a), split(b)) })
	return paths
}

func TestLibrariesLeaveOutWhatIsExcluded(t *testing.T) {
	rules, err := filter.Parse([]filter.Line{{Text: "/skip/"}, {Text: "*.swp"}})
	if err != nil {
		t.Fatal(err)
	}
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("skip/a/b")
		r.watch(func(o *Options) { o.Rules = rules })
		r.mkdir("keep/skip")
		r.mkdir("skip/c")
		r.write("skip/f")
		r.write("f.swp")
		r.write("keep/f.swp")
		r.write("keep/skip/f")
		r.wantCovered("keep/skip/f")
		if !poll(func() bool { return r.w.Stats().Watches == 3 }) {
			t.Errorf("Stats().Watches: got %d, want the root, keep and keep/skip", r.w.Stats().Watches)
		}
		r.must(r.w.Close())
		for _, ev := range r.events {
			if rules.Excluded(ev.Path, false) || rules.Excluded(ev.Path, true) {
				t.Errorf("an event about %q, which is excluded", ev.Path)
			}
		}
	})
}

func TestLibrariesWithoutRecursion(t *testing.T) {
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("a")
		r.watch(func(o *Options) { o.Recursive = false })
		r.write("a/f")
		r.mkdir("b")
		r.write("b/f")
		r.write("last")
		r.wantCovered("b", "last")
		if got := r.w.Stats().Watches; got != 1 {
			t.Errorf("Stats().Watches: got %d, want 1", got)
		}
		if got := r.missing("a/f", "b/f"); len(got) != 2 {
			t.Errorf("paths below the root that no event covers: got %q, want both", got)
		}
	})
}

func TestLibrariesEndWithTheRoot(t *testing.T) {
	for name, do := range map[string]func(r *rig){
		"removed":      func(r *rig) { r.remove("") },
		"renamed":      func(r *rig) { r.rename("", "../other") },
		"replaced":     func(r *rig) { r.rename("", "../other"); r.mkdir("") },
		"parent moved": func(r *rig) { r.rename("..", "../../moved") },
	} {
		t.Run(name, func(t *testing.T) {
			every := never // but where no event can tell
			if name == "parent moved" {
				every = 20 * time.Millisecond
			}
			shorten(t, &rootEvery, every)
			onLibraries(t, func(t *testing.T, r *rig) {
				r.mkdir("a")
				r.watch(nil)
				do(r)
				select {
				case <-r.w.Done():
				case <-time.After(labtest.Limit):
					t.Fatal("Done() is not closed")
				}
				if err := r.w.Err(); !errors.Is(err, source.ErrGone) {
					t.Errorf("Err(): got %v, want %v", err, source.ErrGone)
				}
			})
		})
	}
}

func TestLibrariesReconcile(t *testing.T) {
	for _, lib := range libraries {
		shorten(t, lib.reconcile, 10*time.Millisecond)
	}
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("a")
		r.watch(nil)
		r.wantCovered("any/thing")
		if got := r.w.Stats(); got.Gaps == 0 || got.Overflows != 0 {
			t.Errorf("Stats(): got %+v, want gaps without overflows", got)
		}
		r.must(r.w.Close())
		if diff := cmp.Diff(r.dirs(), watched(r.w)); diff != "" {
			t.Errorf("directories that are watched (-want +got):\n%s", diff)
		}
	})
}

// TestLibrariesTellALoss has the library report a loss and wants everything to
// be compared, and watched anew.
func TestLibrariesTellALoss(t *testing.T) {
	onLibraries(t, func(t *testing.T, r *rig) {
		r.mkdir("a/b")
		r.watch(nil)
		r.w.hints.lose()
		r.wantCovered("any/thing")
		if got := r.w.Stats(); got.Gaps != 1 || got.Overflows != 1 {
			t.Errorf("Stats(): got %+v, want one gap and one overflow", got)
		}
		r.writeEverywhere("w")
	})
}
