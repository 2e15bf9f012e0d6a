package rsync

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/delta/rsync/output"
	"inosyncd/delta/rsync/process"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// What changes after the plan was made goes around again.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change string // in the shell, in the source, before rsync looks
		marks  string
		left   string
	}{
		"written":             {`echo more >>f`, "ic f", `["f":3]`},
		"time put back":       {`touch -r f stamp; echo oth >f; touch -r stamp f`, "ic f", `["f":3]`},
		"replaced":            {`echo new >g; mv g f`, "i f", `["f":3]`},
		"gone":                {`rm f`, "ic f", `["f":3]`},
		"gone, whole":         {`rm -r d`, "a d", `["d":3]`},
		"becomes a directory": {`rm f; mkdir f`, "ic f", `["f":3]`},
		"directory's mode":    {`chmod 700 d`, "i d", `["d":1]`},
		"file below a whole":  {`echo more >>d/x`, "a d", `["d/x":3]`},
		"file in the tree":    {`echo more >>d/x`, "a ", `["d/x":3]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local")
			n.write("f=old", "d/x=old")
			n.full()
			nodetest.Wrap(t, `[ "$1" = --version ] || { rm "$0.once" && { `+tt.change+`; }; } >/dev/null 2>&1; exec RSYNC`)(n.options())
			n.do(os.WriteFile(n.o.Program+".once", nil, 0o600))
			n.age()
			res := n.Push(t.Context(), set(tt.marks))
			if got := marks(res.Left); res.Outcome != push.Done || got != tt.left {
				t.Fatalf("Push(%q): got %v, left %s, %v; want done, left %s", tt.marks, res.Outcome, got, res.Err, tt.left)
			}
			n.must(res.Left)
			n.remove("stamp")
			n.full()
		})
	}
}

// What is overtaken once it has been read is pending since then: of a file that
// never comes to rest the node has something new with every push.
func TestOvertakenIsYoung(t *testing.T) {
	t.Parallel()
	for name, young := range map[string]bool{"before it is read": false, "when it has been sent": true} {
		t.Run(name, func(t *testing.T) {
			sent := sentMark(filepath.Join(t.TempDir(), "sent"))
			n := newNode(t, "local", func(o *node.Options) {
				o.Log = slog.New(slog.NewTextHandler(sent, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			n.write("f=old", "g=old")
			n.full()
			n.remove("f")
			n.write("f=new")
			change := `echo more >>f; RSYNC`
			if young {
				change = `RSYNC; until [ -e ` + string(sent) + ` ]; do sleep 0.01; done; echo more >>f`
			}
			n.do(os.RemoveAll(string(sent)))
			nodetest.Wrap(t, `case "$*" in *--version*) exec RSYNC;; esac; `+change)(n.options())
			n.age()
			begin := time.Now()
			res := n.Push(t.Context(), set("ic f", "ic g"))
			if res.Outcome != push.Done || marks(res.Left) != `["f":3]` || res.Left.Since().Before(begin) == young {
				t.Errorf("Push: got %v, left %s since %v; want f, and since after %v: %v",
					res.Outcome, marks(res.Left), res.Left.Since(), begin, young)
			}
		})
	}
}

// sentMark is a log that makes a file of that name when it is told that
// something was sent.
type sentMark string

func (s sentMark) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("msg=sent ")) {
		return len(line), os.WriteFile(string(s), nil, 0o600)
	}
	return len(line), nil
}

// A file that grows for as long as it is sent goes around again, and is
// complete when it has come to rest.
func TestGrowingFile(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f=" + strings.Repeat("x", 4<<20))
	n.options().Bandwidth = 8 << 20
	n.always = n.node.Arguments(*n.o)
	f, err := os.OpenFile(n.src+"/f", os.O_APPEND|os.O_WRONLY, 0)
	n.do(err)
	defer f.Close()
	pushed := make(chan push.Result)
	go func() { pushed <- n.Push(t.Context(), set("ic f")) }()
	for {
		select {
		case res := <-pushed:
			if res.Outcome != push.Done || marks(res.Left) != `["f":3]` {
				t.Fatalf("Push: got %v, left %s, %v; want done, left f", res.Outcome, marks(res.Left), res.Err)
			}
			n.must(res.Left)
			n.equal()
			return
		case <-time.After(time.Millisecond):
			_, err := f.WriteString("more")
			n.do(err)
		}
	}
}

// A directory on the way that is a link by now leads nowhere.
func TestLinkOnTheWay(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("d/f", "d/sub/g")
	n.full()
	outside := labtest.Dir(t)
	n.do(os.WriteFile(filepath.Join(outside, "f"), []byte("secret"), 0o600))
	n.mkdir(outside + "/sub")
	n.remove("d")
	n.link(outside, "d")
	n.must(set("ic d/f", "a d/sub", "i d/gone"))
	if target, err := os.Readlink(n.dst + "/d"); err != nil || target != outside {
		t.Errorf("d on the node: got %q, %v; want the link", target, err)
	}
}

func TestHeld(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("d/open[1]", "d/sub/open", "d/f", "open")
	n.must(set("a d", "h d/open[1]", "h d/sub/open", "h open"))
	n.has(false, "d/open[1]", "d/sub/open", "open")
	n.must(set("a ", "h d/open[1]", "h open"))
	n.has(false, "d/open[1]", "open")
	n.has(true, "d/sub/open", "d/f")
	n.must(set("a "))
	n.equal()
}

func TestHardLinks(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.HardLinks = true })
	n.write("a/f", "b/other", "c/d/g")
	n.do(os.Link(n.src+"/a/f", n.src+"/b/f"))
	n.full()
	n.do(os.Link(n.src+"/a/f", n.src+"/c/d/f"))
	n.must(set("i c/d/f"))
	n.equal()
	n.write("a/f=changed")
	n.must(set("ic a/f"))
	n.equal()
	n.rename("c", "b/c")
	n.must(set("i c", "ia b/c"))
	n.equal()
	n.remove("a/f")
	n.must(set("i a/f"))
	n.equal()
}

func TestNotRecursive(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.Recursive = false })
	n.write("f", "d/below", "g")
	n.plant("extra", "d/kept")
	n.must(set("a "))
	n.has(true, "f", "g", "d", "d/kept")
	n.has(false, "d/below", "extra")
	n.remove("g")
	n.write("h", "e/below")
	n.must(set("i g", "ic h", "ic d/below", "a e"))
	n.has(true, "h", "e")
	n.has(false, "g", "d/below", "e/below")
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to run rsync as another user")
	}
	n := newNode(t, "local", func(o *node.Options) {
		o.User = "nobody"
		o.Owner, o.Group, o.Archive = false, false, false
	})
	for dir := n.dst; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		n.do(os.Chmod(dir, 0o755))
	}
	n.do(os.Chown(n.dst, 65534, 65534))
	n.write("f", "secret", "d/g", "closed/h")
	n.do(os.Chmod(n.src+"/secret", 0))
	n.do(os.Chmod(n.src+"/closed", 0o700))
	n.plant("extra", "closed/kept")
	n.do(os.Chown(n.dst+"/closed", 65534, 65534))
	n.age()
	res := n.Push(t.Context(), set("ic f", "ic secret", "ic closed/h"))
	if res.Outcome != push.Partly || marks(res.Left) != `["closed/h":3]["secret":3]` {
		t.Errorf("Push: got %v, left %s, %v; want partly, left what cannot be read", res.Outcome, marks(res.Left), res.Err)
	}
	n.has(true, "f")
	n.age()
	res = n.Push(t.Context(), set("a "))
	if res.Outcome != push.Partly || !res.Left.IsFull() {
		t.Errorf("Push of all: got %v, left %s, %v; want partly, all left", res.Outcome, marks(res.Left), res.Err)
	}
	n.has(true, "f", "d/g", "closed/kept") // what could not be listed is not gone
	n.do(os.Chmod(n.src+"/closed", 0o755))
	n.age()
	res = n.Push(t.Context(), set("a "))
	if res.Outcome != push.Partly || marks(res.Left) != `["secret":3]` {
		t.Errorf("Push of all: got %v, left %s, %v; want partly, left secret", res.Outcome, marks(res.Left), res.Err)
	}
	n.has(false, "extra", "closed/kept")
	n.do(os.Chmod(n.src+"/secret", 0o644))
	n.age()
	n.must(set("a "))
	n.has(true, "secret")
	var owner unix.Stat_t
	n.do(unix.Stat(n.dst+"/f", &owner))
	if owner.Uid != 65534 {
		t.Errorf("owner of f: got %d, want 65534", owner.Uid)
	}
}

// What cannot be looked at is left, and nothing else.
func TestNotLookedAt(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f")
	n.age()
	long := strings.Repeat("n", 256) // ENAMETOOLONG, which root gets too
	res := n.Push(t.Context(), set("ic f", "ic "+long))
	if got := marks(res.Left); res.Outcome != push.Partly || got != `["`+long+`":3]` || res.Err == nil || res.Cure == "" {
		t.Errorf("Push: got %v, left %s, %v, %q; want partly, left the one of 256 bytes, and a cure", res.Outcome, got, res.Err, res.Cure)
	}
	n.has(true, "f")
}

// A failure that cannot be told from the messages leaves everything.
func TestUntold(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"nothing":   `true`,
		"elsewhere": `echo 'rsync: [receiver] chown "/elsewhere/f" failed: x' >&2`,
		"unlisted":  `echo 'rsync: [receiver] chown "DST/unlisted" failed: x' >&2`,
		"too much":  `yes 'rsync: [receiver] chown "DST/f" failed: x' | head -n 1000 >&2`,
		"odd":       `echo 'rsync: [receiver] chown "DST/f"" failed: x' >&2`,
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local")
			n.write("f", "d/g", "h")
			nodetest.Wrap(t, `[ "$1" = --version ] || { RSYNC; `+strings.ReplaceAll(line, "DST", n.dst)+`; exit 23; }; exec RSYNC`)(n.options())
			n.age()
			res := n.Push(t.Context(), set("i f", "a d", "i h"))
			if got, want := marks(res.Left), `["d":5]["f":1]["h":1]`; res.Outcome != push.Partly || got != want {
				t.Errorf("Push: got %v, left %s; want partly, left %s", res.Outcome, got, want)
			}
		})
	}
}

// A push that is stopped ends its rsync, and what was sent is kept.
func TestStop(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.Bandwidth = 1 << 20 })
	n.write("f=" + strings.Repeat("x", 8<<20))
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("the daemon ends")
	pushed := make(chan push.Result)
	go func() { pushed <- n.Push(ctx, set("ic f")) }()
	labtest.Eventually(t, func() error { // rsync keeps no part that is empty: --partial in rsync(1)
		temps, err := filepath.Glob(n.dst + "/.f.*")
		for _, temp := range temps {
			if st, err := os.Stat(temp); err == nil && st.Size() > 0 {
				return nil
			}
		}
		return errors.Join(err, errors.New("rsync has received nothing"))
	})
	cancel(reason)
	res := <-pushed
	if res.Outcome != push.Again || !errors.Is(res.Err, reason) {
		t.Errorf("Push: got %v, %v; want again, %v", res.Outcome, res.Err, reason)
	}
	labtest.Eventually(t, func() error {
		names, err := filepath.Glob(n.dst + "/.f.*")
		if len(names) > 0 {
			return errors.Join(err, errors.New("a temporary file is left"))
		}
		return nil
	})
	n.has(false, "f")
	n.has(true, output.PartialDir+"/f")
}

// A node that takes connections and says nothing is given up.
func TestIdle(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", nodetest.Wrap(t, `[ "$1" = --version ] && exec RSYNC; exec sleep 1000`))
	p, err := process.Start(t.Context(), process.Spec{Program: n.o.Program, Args: []string{"x"}, Dir: open(t, n.src), Attr: &syscall.SysProcAttr{Setsid: true}}, nil)
	n.do(err)
	end := p.Finish(nil, 200*time.Millisecond)
	if v := judge(&end); v.outcome != push.Again || !errors.Is(v.err, process.ErrIdle) {
		t.Errorf("judge: got %v, %v; want again, %v", v.outcome, v.err, process.ErrIdle)
	}
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
