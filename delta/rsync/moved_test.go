package rsync

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/change"
	"inosyncd/internal/push"
)

// A file is moved, and moved on before it could be sent under the new name. Its
// old name is kept until then, but not for ever.
func TestMovedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		since time.Duration // from now
		left  string
		keeps bool
	}{
		"lately":   {time.Hour, `["f":1]["g":3]`, true},
		"long ago": {-time.Hour, `["g":3]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, "local")
			n.write("f=old")
			n.full()
			n.do(os.Rename(n.src+"/f", n.src+"/g"))
			nodetest.Wrap(t, `[ "$1" = --version ] || mv g h 2>/dev/null; exec RSYNC`)(n.options())
			moved := change.New(0)
			moved.Add("f", change.Itself, time.Now().Add(tt.since))
			moved.Add("g", change.Itself|change.Content, time.Now().Add(tt.since))
			res := n.Push(t.Context(), moved)
			if got := marks(res.Left); res.Outcome != push.Done || got != tt.left {
				t.Errorf("Push: got %v, left %s, %v; want done, left %s", res.Outcome, got, res.Err, tt.left)
			}
			if _, err := os.Lstat(n.dst + "/f"); (err == nil) != tt.keeps {
				t.Errorf("the old name at the node: got %v, want it kept: %v", err, tt.keeps)
			}
			res.Left.Add("h", change.Itself|change.Content, time.Now())
			n.must(res.Left)
			n.full()
		})
	}
}

// Nor is it kept where its removal was approved: the approval ends with the push.
func TestMovedOnAndApproved(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local", func(o *node.Options) { o.MaxDelete = 1 })
	n.write("d/1", "d/2")
	n.full()
	n.remove("d")
	n.write("g")
	n.Push(t.Context(), set("i d"))
	n.Approve()
	nodetest.Wrap(t, `case "$*" in *--version*|*--dry-run*) ;; *) mv `+n.src+`/g `+n.src+`/h 2>&-;; esac; exec RSYNC`)(n.options())
	lately := change.New(0)
	for _, path := range []string{"d", "g"} {
		lately.Add(path, change.Itself, time.Now().Add(time.Hour))
	}
	if res := n.Push(t.Context(), lately); res.Outcome != push.Done || marks(res.Left) != `["g":3]` {
		t.Errorf("Push: got %v, left %s, %v; want done, left g", res.Outcome, marks(res.Left), res.Err)
	}
	n.has(false, "d")
}

// Where directories are compared whole, what was moved is sent before the old name
// goes, though that is come by first.
func TestMovedInAWholeComparison(t *testing.T) {
	t.Parallel()
	for _, mark := range []string{"a ", "a d"} {
		t.Run(mark, func(t *testing.T) {
			var log bytes.Buffer
			n := newNode(t, "local", func(o *node.Options) {
				o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			n.write("d/a/f", "d/b/other")
			n.full()
			n.rename("d/a/f", "d/b/f")
			log.Reset()
			n.must(set(mark))
			sent, removed := strings.Index(log.String(), "msg=sent path=d/b/f"), strings.Index(log.String(), "msg=removed path=d/a/f")
			if sent < 0 || removed < sent {
				t.Errorf("log: got\n%swant that it is sent, then removed", log.String())
			}
		})
	}
}

// A file that was sent, and is moved on before the push has ended, stays at the
// node: the event of the move brings both of its names.
func TestMovedOnAfterwards(t *testing.T) {
	n := newNode(t, "local")
	n.write("f=old")
	nodetest.Wrap(t, `[ "$1" = --version ] && exec RSYNC; RSYNC; code=$?; mv f g; exit $code`)(n.options())
	if res := n.Push(t.Context(), set("ic f")); res.Outcome != push.Done || res.Left != nil {
		t.Fatalf("Push: got %v, left %s, %v; want done, and nothing left", res.Outcome, marks(res.Left), res.Err)
	}
	if _, err := os.Lstat(n.dst + "/f"); err != nil {
		t.Errorf("the old name at the node: got %v, want it there", err)
	}
	n.must(set("i f", "ic g"))
	n.full()
}
