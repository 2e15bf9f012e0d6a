package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// target is a node that is probed, as its options say.
type target struct {
	node.Options
	t        testing.TB
	src, dst string
}

// newTarget returns a node of a kind in a place of its own.
func newTarget(t testing.TB, kind string, change ...func(*node.Options)) *target {
	t.Helper()
	return targetAt(t, nodetest.New(t, kind), change...)
}

func targetAt(t testing.TB, p *nodetest.Place, change ...func(*node.Options)) *target {
	t.Helper()
	o, src, dst := p.Options(t)
	for _, f := range change {
		f(&o)
	}
	return &target{o, t, src, dst}
}

func (n *target) do(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// plant writes files below the node's directory, which hold their names.
func (n *target) plant(files ...string) {
	n.t.Helper()
	for _, name := range files {
		path := filepath.Join(n.dst, name)
		n.do(os.MkdirAll(filepath.Dir(path), 0o755))
		n.do(os.WriteFile(path, []byte(name), 0o644))
	}
}

// probe returns what a probe finds, as lines.
func (n *target) probe(ctx context.Context) findings {
	n.t.Helper()
	return n.look(ctx, Tree{Bytes: 1 << 10, Entries: 3})
}

// look is a probe for a source of that size.
func (n *target) look(ctx context.Context, size Tree) findings {
	n.t.Helper()
	at, err := node.New(n.Options)
	n.do(err)
	defer func() { n.do(at.Close()) }()
	return Look(ctx, at, func() Tree { return size })
}

type findings []Finding

func (f findings) String() string {
	var b strings.Builder
	for _, one := range f {
		fmt.Fprintf(&b, "%s %s: %s (%s)\n", one.Grade, one.About, one.Text, one.Cure)
	}
	return b.String()
}

// want fails the test unless there is a line with text.
func (f findings) want(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains("\n"+f.String(), "\n"+text) {
		t.Errorf("Look: got\n%swant a line that begins with %q", f, text)
	}
}

// wantNo fails the test if there is a finding of a grade.
func (f findings) wantNo(t *testing.T, g Grade) {
	t.Helper()
	for _, one := range f {
		if one.Grade == g {
			t.Errorf("Look: got\n%swant no %s", f, g)
			return
		}
	}
}

// untouched fails the test if the directory holds anything but names.
func untouched(t *testing.T, dir string, names ...string) {
	t.Helper()
	got := []string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(append([]string{}, names...)) {
		t.Errorf("the node's directory: got %q, want %q", got, names)
	}
}

// A probe of a node that is well finds that, and changes nothing: neither the
// directory's time, nor its mode, nor what is not to be deleted.
func TestProbeHealthy(t *testing.T) {
	t.Parallel()
	for kind := range nodetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newTarget(t, kind, func(o *node.Options) {
				o.Rules = nodetest.Rules(t, ".*")
				o.Xattrs, o.HardLinks, o.Compress = true, true, true
			})
			n.plant("f", "d/g", prefix+"other", ".hidden")
			st, err := os.Stat(n.src)
			n.do(err)
			n.do(os.Chtimes(n.dst, st.ModTime(), st.ModTime()))
			before, err := lab.Walk(n.dst, lab.CompareOptions{})
			n.do(err)
			for _, del := range []bool{true, false} {
				n.Delete = del
				f := n.probe(t.Context())
				f.wantNo(t, Fault)
				f.want(t, "ok path: is there")
				f.want(t, "ok writing: a file was written and removed")
				f.want(t, "ok clock: agrees")
				if kind == "daemon" {
					f.want(t, "note login: the rsync daemon answers and asks for no password")
					f.want(t, "note space: unknown: an rsync daemon does not tell it")
				} else if !strings.Contains(f.String(), " space: free: ") {
					t.Errorf("Look: got\n%swant the space", f)
				}
				untouched(t, n.dst, ".hidden", prefix+"other", "d", "f")
				after, err := lab.Walk(n.dst, lab.CompareOptions{})
				n.do(err)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("the node (-before +after):\n%s", diff)
				}
			}
		})
	}
}

// Where the node's directory is not there it is not made; the one above is
// looked at in its place.
func TestProbeWithoutThePath(t *testing.T) {
	t.Parallel()
	for kind := range nodetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newTarget(t, kind)
			n.Address.Path += "new/"
			f := n.probe(t.Context())
			f.wantNo(t, Fault)
			f.want(t, "note path: is not there yet, the first push makes it")
			f.want(t, "ok writing: a file was written and removed")
			n.Address.Path += "newer/"
			n.probe(t.Context()).want(t, "fault path: is not there, nor is the directory above it (check that the directory above")
			untouched(t, n.dst)
		})
	}
}

func TestAbove(t *testing.T) {
	for _, tt := range []struct {
		kind       node.Kind
		path, want string // "" is none
	}{
		{node.Local, "/a/b/", "/a/"},
		{node.Local, "/a/", "/"},
		{node.Local, "/", ""},
		{node.Local, "/a/../", ""},
		{node.SSH, "a/b/", "a/"},
		{node.SSH, "a/", "./"},
		{node.SSH, "./", ""},
		{node.Daemon, "m/a/", "m/"},
		{node.Daemon, "m/", ""},
	} {
		got, ok := above(node.Address{Kind: tt.kind, Path: tt.path})
		if ok != (tt.want != "") || ok && got.Path != tt.want {
			t.Errorf("above(%v, %q): got %q, %v, want %q", tt.kind, tt.path, got.Path, ok, tt.want)
		}
	}
}

// A login without rsync is told of as that, whichever of rsync and ssh ends first.
func TestAspectWithoutRsync(t *testing.T) {
	note := "bash: line 1: /nonexistent/rsync: No such file or directory"
	for _, code := range []int{12, 127} {
		if got := aspect(&process.Exit{Code: code, Notes: []string{note}}); got != "rsync" {
			t.Errorf("aspect(%d, %q): got %q, want rsync", code, note, got)
		}
	}
	if got := aspect(&process.Exit{Code: 12}); got != "login" {
		t.Errorf("aspect(12): got %q, want login", got)
	}
}

func TestVersionFinding(t *testing.T) {
	for _, tt := range []struct {
		version  string
		protocol int
		want     Grade
	}{
		{"2.6.9", 29, Warning},
		{"3.4.2", 32, Warning},
		{"3.4.3", 32, Note},
		{"3.5.0", 32, Fine},
		{"4.0", 40, Fine},
		{"", 31, Warning},
		{"", 32, Note},
		{"", 0, Note},
	} {
		if got := versionFinding(tt.version, tt.protocol, "why", "there"); got.Grade != tt.want {
			t.Errorf("versionFinding(%q, %d): got %v, want %v", tt.version, tt.protocol, got, tt.want)
		}
	}
}

// What the two ends agree on is read, and told where it is a poor choice.
func TestProbeChoices(t *testing.T) {
	t.Parallel()
	n := newTarget(t, "daemon", func(o *node.Options) { o.Compress = true }, nodetest.Wrap(t, `case "$*" in *--debug=*) echo "(Client) Protocol versions: remote=31, negotiated=31"; echo "Client negotiated checksum: md5"; echo "Client compress: zlib (level 6)"; exit 0;; esac; exec RSYNC`))
	f := n.probe(t.Context())
	f.want(t, "note checksum: falls back to md5, which is slower (upgrade rsync")
	f.want(t, "note compress: falls back to zlib")
	f.want(t, "warning rsync: older than 3.4.0")

	n = newTarget(t, "local", func(o *node.Options) {
		o.Compress, o.Args = true, []string{"--compress-choice=zlib", "--checksum-choice=md5"}
	})
	f = n.probe(t.Context())
	f.want(t, "ok writing: ")
	if strings.Contains(f.String(), "falls back") {
		t.Errorf("Look: got\n%swant no fall back: it is what was asked for", f)
	}
	n.Args = []string{"--checksum-choice=nonsense"}
	n.probe(t.Context()).want(t, "fault rsync: rsync: ")
}

// Receivers without a working --delete-missing-args are told of, and what was
// written is removed the other way.
func TestProbePoorReceiver(t *testing.T) {
	t.Parallel()
	list := filepath.Join(t.TempDir(), "list") // such receivers fail at a name below another
	n := newTarget(t, "daemon", nodetest.Wrap(t, `case "$*" in *--delete-missing-args*) cat >`+list+`
		if grep -qa '[^.]/gone' `+list+`; then echo "invalid file mode 00 for d/gone [Receiver]" >&2; exit 2; fi;; esac; exec RSYNC`))
	n.plant("f", "extra", "d/g", prefix+"other")
	f := n.probe(t.Context())
	f.want(t, "note delete: the node's rsync has no working --delete-missing-args")
	f.want(t, "ok writing: a file was written and removed")
	untouched(t, n.dst, prefix+"other", "d", "extra", "f")
	if _, err := os.Stat(n.dst + "/d/g"); err != nil {
		t.Error(err)
	}
}

// Nothing is written where it could not be removed.
func TestProbeRefusedRemovals(t *testing.T) {
	t.Parallel()
	script := `case "$*" in *--delete*) echo "rsync: [sender] read error: Connection reset by peer (104)" >&2; exit 4;; esac; exec RSYNC`
	for _, del := range []bool{true, false} {
		n := newTarget(t, "daemon", nodetest.Wrap(t, script), func(o *node.Options) { o.Delete = del })
		f := n.probe(t.Context())
		f.want(t, "note writing: not tried: the node refuses removals")
		if del {
			f.want(t, "fault delete: the node refuses removals (the node refuses an option")
		} else {
			f.wantNo(t, Fault)
		}
		untouched(t, n.dst)
	}
}

// What was written is removed also when writing ended badly or was broken off,
// and is named when it cannot be.
func TestProbeCleansUp(t *testing.T) {
	t.Parallel()
	t.Run("after an error", func(t *testing.T) {
		n := newTarget(t, "local", nodetest.Wrap(t, `case "$*" in *--no-times*) RSYNC; exit 12;; esac; exec RSYNC`))
		n.probe(t.Context()).want(t, "fault writing: rsync: ")
		untouched(t, n.dst)
	})
	t.Run("stopped", func(t *testing.T) {
		written := filepath.Join(t.TempDir(), "written")
		n := newTarget(t, "local", nodetest.Wrap(t, `case "$*" in *--no-times*) RSYNC; : >`+written+`; exec sleep 600;; esac; exec RSYNC`))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.probe(ctx)
		}()
		labtest.Eventually(t, func() error {
			_, err := os.Stat(written)
			return err
		})
		cancel()
		<-done
		untouched(t, n.dst)
	})
	t.Run("cannot", func(t *testing.T) {
		n := newTarget(t, "local", nodetest.Wrap(t, `case "$*" in *--dry-run*) ;; *--delete-missing-args*|*--include=*) echo "cannot do that" >&2; exit 12;; esac; exec RSYNC`))
		n.probe(t.Context()).want(t, "fault writing: "+n.dst+"/"+prefix)
	})
}

// A probe that is to end at once does, whatever it waits for.
func TestProbeStopped(t *testing.T) {
	t.Parallel()
	silent := labtest.Silent(t)
	n := newTarget(t, "daemon", func(o *node.Options) { o.Address.Port, o.Timeout = silent.Port(), time.Hour })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan findings)
	go func() { done <- n.probe(ctx) }()
	labtest.Eventually(t, func() error {
		if silent.Connections() == 0 {
			return errors.New("nobody has come")
		}
		return nil
	})
	cancel()
	if f := <-done; len(f) > 0 {
		t.Errorf("Look: got\n%swant nothing: it was broken off", f)
	}
}

func TestSkew(t *testing.T) {
	from := time.Date(2030, 1, 1, 12, 0, 0, 5e8, time.UTC)
	to := from.Add(time.Second)
	for at, want := range map[time.Duration]string{
		0:                "ok clock: agrees within 2s",
		2 * time.Second:  "ok clock: agrees within 2s",
		-2 * time.Second: "ok clock: agrees within 2s",
		time.Minute:      "note clock: the node's is 59s ahead",
		-time.Hour:       "note clock: the node's is 1h0m0s behind",
	} {
		findings{skew(from.Truncate(time.Second).Add(at), from, to)}.want(t, want)
	}
	at, ok := listed("-rw-r--r--          4,096 2026/11/20 15:55:18 name", "name")
	if want := time.Date(2026, 11, 20, 15, 55, 18, 0, time.UTC); !ok || !at.Equal(want) {
		t.Errorf("listed: got %v, %v, want %v", at, ok, want)
	}
	for _, line := range []string{"", "motd", "-rw-r--r-- 1 2026/11/20 15:55:18 other", "-rw-r--r-- 1 2026/33/20 15:55:18 name"} {
		if at, ok := listed(line, "name"); ok {
			t.Errorf("listed(%q): got %v, want none", line, at)
		}
	}
}

func TestFigures(t *testing.T) {
	for line, want := range map[string]string{
		"/dev/sda1 1000 600 400 60% /srv":             "1000 600 400",
		"//host/a share 1000 600 -5 101% /mnt/a b":    "1000 600 -5",
		"btrfs 0 0 0 - /":                             "0 0 0",
		"Filesystem 1024-blocks Used Available Capa…": "",
	} {
		got := ""
		if m := figures.FindStringSubmatch(line); m != nil {
			got = strings.Join(m[1:], " ")
		}
		if got != want {
			t.Errorf("figures(%q): got %q, want %q", line, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 29: "1.5 GiB", 1 << 63: "8.0 EiB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d): got %q, want %q", n, got, want)
		}
	}
}
