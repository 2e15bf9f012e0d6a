package delta

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/change"
	"inosyncd/internal/filter"
	"inosyncd/internal/push"
	"inosyncd/internal/source"
)

// tree makes a source: names that end with / are directories, a -> b links,
// all else is files.
func newSource(t testing.TB, names ...string) *source.Root {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "src")
	check(t, os.Mkdir(dir, 0o755))
	for _, name := range names {
		name, target, link := strings.Cut(name, " -> ")
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case link:
			check(t, os.Symlink(target, path))
		case strings.HasSuffix(name, "/"):
			check(t, os.MkdirAll(path, 0o755))
		default:
			check(t, os.WriteFile(path, []byte(name), 0o644))
		}
	}
	root := source.New(dir)
	check(t, root.Adopt())
	return root
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rules(t testing.TB, lines ...string) *filter.Rules {
	t.Helper()
	var in []filter.Line
	for _, text := range lines {
		in = append(in, filter.Line{Text: text})
	}
	r, err := filter.Parse(in)
	check(t, err)
	return r
}

// set reads marks of the form "MARKS PATH", MARKS being i (itself), c (content),
// a (all below) or h (held).
func set(marks ...string) *change.Set {
	s := change.New(0)
	letters := map[rune]change.Mark{
		'i': change.Itself, 'c': change.Content | change.Itself, 'a': change.AllBelow, 'h': change.Held,
	}
	for _, m := range marks {
		flags, path, _ := strings.Cut(m, " ")
		for _, f := range flags {
			s.Add(path, letters[f], time.Unix(1, 0))
		}
	}
	return s
}

// text is a plan in one line: what exists with its marks, a ^ for what is below
// a directory that is compared whole, a - for what is missing (? if of one kind), ! for what is held.
func text(p *Plan) string {
	var out []string
	if p.Full {
		out = append(out, "full")
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		s := ""
		if e.Covered {
			s = "^"
		}
		if e.Mark&change.AllBelow != 0 {
			s += "a"
		}
		if e.Mark&change.Content != 0 {
			s += "c"
		}
		out = append(out, s+":"+name(e.Path))
	}
	for _, m := range p.Missing {
		if m.OneKind {
			out = append(out, "?"+m.Path)
		} else {
			out = append(out, "-"+m.Path)
		}
	}
	for _, h := range p.Held {
		out = append(out, "!"+h)
	}
	return strings.Join(out, " ")
}

func TestPlan(t *testing.T) {
	tree := []string{"d/sub/f", "d/g", "e/", "f", "l -> d", "dangling -> /nowhere", "x.log", "cache/c", "k/cache"}
	tests := []struct {
		name  string
		rules []string
		marks []string
		want  string
	}{
		{"nothing", nil, nil, ""},
		{"entries", nil, []string{"i ", "c f", "i d", "c d/sub/f", "i l", "i dangling", "i e"}, ":. :d c:d/sub/f :dangling :e c:f :l"},
		{"all below", nil, []string{"a d", "a e", "a f", "a l"}, "a:d a:e :f :l"},
		{"all", nil, []string{"a "}, "full"},
		{"content below all", nil, []string{"a ", "c f", "c d/sub/f", "c d/gone"}, "full ^c:d/sub/f ^c:f"},
		{"content below a directory", nil, []string{"a d", "c d/sub/f", "c f"}, "a:d ^c:d/sub/f c:f"},
		{"content is of regular files", nil, []string{"c d", "c l"}, ":d :l"},
		{"missing", nil, []string{"i gone", "c d/gone", "a d/sub/gone2"}, "-d/gone -d/sub/gone2 -gone"},
		{"topmost missing", nil, []string{"i gone/a/b", "c gone/c", "i gone2/a", "i d/no/x", "i d/no/y/z"}, "-d/no -gone -gone2"},
		{"missing, its parents marked", nil, []string{"i gone", "i gone/a", "i gone/a/b"}, "-gone"},
		{"below a file", nil, []string{"i f/x", "a f/y/z"}, "c:f"},
		{"below a link", nil, []string{"i l/g", "c l/sub/f"}, ":l"},
		{"below a link, missing there", nil, []string{"i l/nothing", "i dangling/x"}, ":dangling :l"},
		{"below a file that is marked", nil, []string{"i f", "i f/x"}, "c:f"},
		{"held", nil, []string{"h f", "a d", "h d/g"}, "a:d !d/g !f"},
		{"excluded", []string{"*.log", "cache/"}, []string{"c x.log", "i gone.log", "c cache/c", "i cache/gone", "i k/cache"}, ":k/cache"},
		{"excluded as a directory, which it is", []string{"cache/"}, []string{"i cache"}, "?cache"},
		{"excluded as a file, which it is", []string{"+ f/", "f"}, []string{"i f", "i d/sub/f"}, "?d/sub/f ?f"},
		{"excluded as a file, missing", []string{"+ no/", "no"}, []string{"i no"}, "?no"},
		{"excluded if it was a directory", []string{"cache/"}, []string{"i d/cache", "i d/cache/x"}, "?d/cache"},
		{"excluded below", []string{"/d/sub"}, []string{"a d/sub", "i d", "c d/sub/f", "i d/sub/gone"}, ":d"},
		{"odd components", nil, []string{"i ../src/f", "i ./f", "i d//g", "i d/.."}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := NewPlan(newSource(t, tree...), rules(t, tt.rules...), true, set(tt.marks...))
			check(t, err)
			defer p.Close()
			if got := text(p); got != tt.want {
				t.Errorf("NewPlan(%q): got %s, want %s", tt.marks, got, tt.want)
			}
			if tt.name != "odd components" && p.Err != nil {
				t.Errorf("NewPlan(%q): got %v", tt.marks, p.Err)
			}
		})
	}
}

func TestPlanNotRecursive(t *testing.T) {
	p, err := NewPlan(newSource(t, "d/f", "f"), nil, false, set("i ", "a d", "c d/f", "c f", "i gone", "i gone2/x"))
	check(t, err)
	defer p.Close()
	if got, want := text(p), ":. :d c:f -gone"; got != want {
		t.Errorf("NewPlan: got %s, want %s", got, want)
	}
}

func TestPlanSourceGone(t *testing.T) {
	root := newSource(t, "f")
	check(t, os.Rename(root.Path(), root.Path()+".away"))
	check(t, os.Mkdir(root.Path(), 0o755))
	if p, err := NewPlan(root, nil, true, set("i f")); !errors.Is(err, source.ErrGone) {
		t.Errorf("NewPlan: got %v, %v; want that the source is gone", p, err)
	}
}

// What cannot be looked at is neither there nor missing.
func TestPlanUnread(t *testing.T) {
	long := strings.Repeat("n", 256) // ENAMETOOLONG, which root gets too
	p, err := NewPlan(newSource(t, "d/f", "f"), nil, true, set("c "+long, "c d/"+long+"/x", "a "+long+"2", "i f", "i g"))
	check(t, err)
	defer p.Close()
	if got, want := text(p), ":f -g"; got != want {
		t.Errorf("NewPlan: got %s, want %s", got, want)
	}
	var got []string
	for path, mark := range p.Unread.All() {
		got = append(got, fmt.Sprintf("%d:%d", mark, len(path)))
	}
	if want := "[3:260 3:256 5:257]"; fmt.Sprint(got) != want || p.Err == nil {
		t.Errorf("Unread: got %v, %v; want %s", got, p.Err, want)
	}
}

func TestChanged(t *testing.T) {
	root := newSource(t, "same", "d/same", "written", "back=", "gone", "replaced", "mode", "d2/f", "d3/f", "type", "l -> x", "l2 -> x")
	at := func(name string) string { return filepath.Join(root.Path(), name) }
	p, err := NewPlan(root, nil, true, set("i ", "i same", "i d", "i d/same", "i written", "i back=", "i gone", "i replaced",
		"i mode", "i d2", "a d3", "i type", "i l", "i l2", "i missing"))
	check(t, err)
	defer p.Close()
	if got := p.Changed(); got != nil {
		t.Fatalf("Changed: got %d entries, want none", got.Len())
	}
	st, err := os.Stat(at("back="))
	check(t, err)
	check(t, os.WriteFile(at("written"), []byte("other"), 0o644))
	check(t, os.WriteFile(at("back="), []byte("=back"), 0o644))
	check(t, os.Chtimes(at("back="), st.ModTime(), st.ModTime()))
	check(t, os.Remove(at("gone"))) // so have this and d3
	check(t, os.WriteFile(at("new"), []byte("replaced"), 0o644))
	check(t, os.Rename(at("new"), at("replaced")))
	check(t, os.Chmod(at("mode"), 0o600))
	check(t, os.WriteFile(at("d/new"), nil, 0o644)) // has an event of its own
	check(t, os.Chmod(at("d2"), 0o700))
	check(t, os.Rename(at("d3"), at("d4")))
	check(t, os.Remove(at("type")))
	check(t, os.Mkdir(at("type"), 0o755))
	check(t, os.Remove(at("l")))
	check(t, os.Symlink("y", at("l")))
	var got []string
	for path, mark := range p.Changed().All() {
		got = append(got, fmt.Sprintf("%s:%d", path, mark))
	}
	want := "[back=:3 d2:1 l:1 mode:3 replaced:3 type:3 written:3]"
	if fmt.Sprint(got) != want {
		t.Errorf("Changed: got %v, want %s", got, want)
	}
}

// What was overtaken after it had been read is as young as the plan: the node
// has what was noticed before.
func TestChangedAfterSent(t *testing.T) {
	root := newSource(t, "before", "after", "twice", "unread", "d/replaced")
	s := set("c before", "c after", "c twice", "c unread", "c d/replaced")
	begin := time.Now()
	p, err := NewPlan(root, nil, true, s)
	check(t, err)
	defer p.Close()
	write := func(name string) {
		t.Helper()
		check(t, os.WriteFile(filepath.Join(root.Path(), name), []byte("written, and of another size"), 0o644))
	}
	write("before")
	for _, name := range []string{"before", "after", "twice", "d/replaced", "of no entry"} {
		p.Sent(name)
	}
	write("after")
	write("twice")
	p.Sent("twice") // in a second run
	write("unread")
	check(t, os.Rename(root.Path()+"/d", root.Path()+"/e"))
	check(t, os.Mkdir(root.Path()+"/d", 0o755))
	write("d/replaced")
	changed := p.Changed()
	for name, young := range map[string]bool{"before": false, "after": true, "twice": false, "unread": false, "d/replaced": true} {
		since := changed.SinceOf(name)
		if !changed.Covers(name) || young == since.Before(begin) {
			t.Errorf("Changed, %q: got %v, since %v; want it, and since the plan: %v", name, changed.Covers(name), since, young)
		}
	}
}

func TestChangedSince(t *testing.T) {
	root := newSource(t, "d/old", "l -> d")
	p, err := NewPlan(root, nil, true, set("a "))
	check(t, err)
	defer p.Close()
	for written := time.Now(); !Now().After(written); {
		time.Sleep(time.Millisecond) // until the coarse clock has moved on
	}
	now := Now()
	check(t, os.WriteFile(root.Path()+"/d/new", nil, 0o644))
	for path, want := range map[string]bool{"d/old": false, "d/new": true, "d/gone": true, "l/old": true, "../src/d/old": true} {
		if got := p.ChangedSince(path, now); got != want {
			t.Errorf("ChangedSince(%q): got %v, want %v", path, got, want)
		}
	}
}

func TestEmptyAndLinked(t *testing.T) {
	tests := []struct {
		name          string
		tree          []string
		link          string
		marks         string
		empty, linked bool
	}{
		{"empty", nil, "", "a ", true, false},
		{"only excluded", []string{"lost+found/x"}, "", "a ", true, false},
		{"file", []string{"f"}, "", "i f", false, false},
		{"two names", []string{"f"}, "g", "i g", false, true},
		{"below", []string{"d/e/f"}, "d/e/g", "a d", false, true},
		{"below, elsewhere", []string{"d/e/f"}, "g", "a d/e", false, true},
		{"elsewhere", []string{"d/f", "e/g"}, "d/h", "a e", false, false},
		{"excluded", []string{"d/lost+found/f"}, "d/lost+found/g", "a d", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := newSource(t, tt.tree...)
			if tt.link != "" {
				check(t, os.Link(filepath.Join(root.Path(), tt.tree[0]), filepath.Join(root.Path(), tt.link)))
			}
			p, err := NewPlan(root, rules(t, "lost+found"), true, set(tt.marks))
			check(t, err)
			defer p.Close()
			if got, err := p.Empty(); got != tt.empty || err != nil {
				t.Errorf("Empty: got %v, %v; want %v", got, err, tt.empty)
			}
			if got, err := p.Linked(t.Context()); got != tt.linked || err != nil {
				t.Errorf("Linked: got %v, %v; want %v", got, err, tt.linked)
			}
		})
	}
}

func TestPretend(t *testing.T) {
	var log bytes.Buffer
	p := Pretend{
		Source: newSource(t, "d/f", "x.log"), Rules: rules(t, "*.log"), Recursive: true,
		Log: slog.New(slog.NewJSONHandler(&log, nil)).With("node", "a:/srv/"),
	}
	res := p.Push(t.Context(), set("i ", "c d/f", "i gone", "c x.log"))
	if res.Outcome != push.Done || res.Left != nil || res.Paths != 0 || !res.Pretended {
		t.Errorf("Push: got %+v; want done, none sent, and only pretended", res)
	}
	want := `"msg":"would push","node":"a:/srv/","paths":3,"list":[".","d/f","gone"]}`
	if !strings.Contains(log.String(), want) {
		t.Errorf("log: got %s, want %s", log.String(), want)
	}
	log.Reset()
	p.Push(t.Context(), set("c x.log"))
	if log.Len() > 0 {
		t.Errorf("log of an excluded path: got %s, want nothing", log.String())
	}
	check(t, os.Rename(p.Source.Path(), p.Source.Path()+".away"))
	if res := p.Push(t.Context(), set("a ")); res.Outcome != push.Hold || !errors.Is(res.Err, source.ErrGone) || res.Cure == "" || !res.Pretended {
		t.Errorf("Push without the source: got %v, %v, %q", res.Outcome, res.Err, res.Cure)
	}
}

func BenchmarkPlan(b *testing.B) {
	var names, marks []string
	for i := range 10_000 {
		name := fmt.Sprintf("a/b/c/d%d/f%d", i%100, i)
		names = append(names, name)
		marks = append(marks, "c "+name)
	}
	root, s := newSource(b, names...), set(marks...)
	for b.Loop() {
		p, err := NewPlan(root, nil, true, s)
		check(b, err)
		if p.Changed() != nil || len(p.Entries) != len(names) {
			b.Fatalf("NewPlan: got %d entries, want %d, unchanged", len(p.Entries), len(names))
		}
		check(b, p.Close())
	}
}
