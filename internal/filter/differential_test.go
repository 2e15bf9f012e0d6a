package filter

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// For more, or to see a failure again:
//
//	go test ./internal/filter -run Differential -cases 1000000
//	go test ./internal/filter -run Differential -seed 42
var (
	cases = flag.Int("cases", 10_000, "rule sets and trees that are compared with rsync")
	seed  = flag.Uint64("seed", rand.Uint64(), "of the random rules and trees")
)

// A batch is a directory of trees. Most cases are compared a whole directory
// at a time: each tree has its rules in a file in it, which one rsync reads
// (": .rules") as it comes by, so a process answers for many cases. As this
// way no rule sees a path of one component, some trees are compared alone,
// with their rules as options.
const (
	treesPerBatch  = 40
	roundsPerBatch = 10 // of other rules for the same trees
	alonePerBatch  = 20
	deletePerBatch = 8
	casesPerBatch  = treesPerBatch*roundsPerBatch + alonePerBatch + deletePerBatch
)

// TestDifferential compares random rules on random trees with rsync.
func TestDifferential(t *testing.T) {
	needRsync(t)
	n := *cases
	if testing.Short() {
		n /= 10
	}
	batches := (n + casesPerBatch - 1) / casesPerBatch
	dir := t.TempDir()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16) // rsync's processes sleep most of their time
	for i := range batches {
		group.Go(func() error {
			b := batch{random: newRandom(*seed, uint64(i)), dir: filepath.Join(dir, fmt.Sprint(i))}
			return errors.Join(b.compare(ctx), os.RemoveAll(b.dir))
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	t.Logf("%d cases, seed %d", batches*casesPerBatch, *seed)
}

type batch struct {
	random
	dir   string
	trees [treesPerBatch]tree
}

func (b *batch) compare(ctx context.Context) error {
	if err := os.Mkdir(b.dir, 0o755); err != nil {
		return err
	}
	for i := range b.trees {
		b.trees[i] = b.tree(4 + b.IntN(16))
		if err := b.trees[i].make(b.path(i)); err != nil {
			return err
		}
	}
	for range roundsPerBatch {
		if err := b.together(ctx); err != nil {
			return err
		}
	}
	for i := range alonePerBatch {
		if err := b.alone(ctx, i); err != nil {
			return err
		}
	}
	for i := range deletePerBatch {
		if err := b.delete(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

const rulesFile = ".rules"

func name(i int) string              { return fmt.Sprintf("s%02d", i) }
func (b *batch) path(i int) string   { return filepath.Join(b.dir, name(i)) }
func (b *batch) copyOf(i int) string { return b.path(i) + ".copy" }

// together gives every tree rules and compares all of them with one rsync.
func (b *batch) together(ctx context.Context) error {
	var lines [treesPerBatch][]Line
	for i, tr := range b.trees {
		lines[i] = b.lines(tr, false)
		var file strings.Builder
		for j, line := range lines[i] {
			rule, _ := parseLine(line)
			sign := "- "
			if rule.include {
				sign = "+ "
			}
			text := rule.pattern.text
			file.WriteString(sign + text + "\x00")
			if strings.HasPrefix(text, "/") { // anchored where its file is
				text = "/" + name(i) + text
			}
			lines[i][j].Text = sign + text
		}
		if err := os.WriteFile(filepath.Join(b.path(i), rulesFile), []byte(file.String()), 0o644); err != nil {
			return err
		}
	}
	all, err := list(ctx, b.dir, "--from0", "--filter=: "+rulesFile)
	if err != nil {
		return err
	}
	for i, tr := range b.trees {
		rules, err := Parse(lines[i])
		if err != nil {
			return err
		}
		got, want := tr.kept(rules, name(i)+"/"), below(all, name(i)+"/")
		delete(want, rulesFile)
		if err := differ("kept below "+name(i), lines[i], tr, got, want); err != nil {
			return err
		}
	}
	return nil
}

func below(paths map[string]bool, prefix string) map[string]bool {
	some := map[string]bool{}
	for path := range paths {
		if tail, ok := strings.CutPrefix(path, prefix); ok {
			some[tail] = true
		}
	}
	return some
}

// alone compares a tree, with its rules as they are written or as Args has
// them.
func (b *batch) alone(ctx context.Context, i int) error {
	tr, lines := b.trees[i], b.lines(b.trees[i], true)
	rules, err := Parse(lines)
	if err != nil {
		return err
	}
	args := rules.Args()
	if b.chance(50) {
		args = nil
		for _, line := range lines {
			args = append(args, "--exclude="+line.Text)
		}
	}
	want, err := list(ctx, b.path(i), args...)
	if err != nil {
		return err
	}
	delete(want, rulesFile)
	got := map[string]bool{}
	for _, e := range tr {
		if !rules.Excluded(e.path, e.dir()) {
			got[e.path] = true
		}
	}
	return differ("kept", lines, tr, got, want)
}

// delete compares what is deleted when one part of a tree is mirrored to
// another.
func (b *batch) delete(ctx context.Context, i int) error {
	whole := b.trees[i]
	lines := b.lines(whole, true)
	rules, err := Parse(lines)
	if err != nil {
		return err
	}
	src, dst := b.part(whole), b.part(whole)
	from, to := b.copyOf(i)+".src", b.copyOf(i)+".dst"
	if err := errors.Join(src.make(from), dst.make(to)); err != nil {
		return err
	}
	want, err := mirror(ctx, from, to, dst, rules.Args()...)
	if err != nil {
		return err
	}
	return differ(fmt.Sprintf("deleted, the source has %q,", src), lines, dst, dst.deleted(src, rules), want)
}

func differ(what string, lines []Line, tr tree, got, want map[string]bool) error {
	if maps.Equal(got, want) {
		return nil
	}
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = line.Text
	}
	return fmt.Errorf("%s of %q by the rules %q:\n got %q\nwant %q", what, tr, texts,
		slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
}

// corners are patterns that the random ones meet too rarely, for names of one
// byte and, below the directory "a", of one byte and a star.
var corners = []string{
	"[a-c]", "[c-a]", "[]]", "[!]]", "[]-a]", "[a-]", "[-a]", "[+--]", `[\a-c]`, `[a-\c]`, `[a\-c]`, `[\]]`, "[a-c-e]", "[[a]", "[[:a]", "[[:]",
	"[+[:digit:]-a]", "[[:digit:]-a]", "[^[:digit:]-a]", "[a-[:digit:]]", "[![:^:]]", "[[:alpha:]", "[[:alpha]", "[[:bogus:]]", "[[::]]",
	"[\x01-\xff]", "[!\x01-\x7f]", "[^a]", "[^^]", "[!!]", "[!-!]", "[a/]", "[!/]", `\?`, `\*`, `\\`, `\[`, `[\\]`, `\`, "]", "!", "^",
	"[b/][**]", "[b/]/[**]", "a/?[*]", "a/[**]?", `a\/[b]\*`, "[a/]b[*]",
}

func TestCorners(t *testing.T) {
	needRsync(t)
	tr := tree{{"a", 'd'}}
	for c := 1; c < 256; c++ {
		name := string([]byte{byte(c)})
		if !strings.Contains("/.a", name) {
			tr = append(tr, entry{name, 'f'}, entry{"a/" + name + "*", 'f'})
		}
	}
	dir := filepath.Join(t.TempDir(), "d")
	if err := tr.make(dir); err != nil {
		t.Fatal(err)
	}
	patterns := slices.Clone(corners)
	for _, class := range classes {
		patterns = append(patterns, "[[:"+class+":]]", "[^[:"+class+":]_]")
	}
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(16)
	for _, p := range patterns {
		group.Go(func() error {
			rules, err := Parse([]Line{{Text: "- " + p}})
			if err != nil {
				return err
			}
			want, err := list(ctx, dir, rules.Args()...)
			if err != nil {
				return err
			}
			return differ("kept", []Line{{Text: p}}, nil, tr.kept(rules, ""), want)
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
