package rsync

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/push"
)

// untilReported lets the last of some runs of rsync end with a code of its own
// as soon as the push has said that the node is done, and not before.
func untilReported(runs, code int) string {
	return fmt.Sprintf(`case "$*" in *--version*) exec RSYNC;; esac
		echo >>"$0.runs"
		RSYNC || exit
		[ $(wc -l <"$0.runs") -lt %d ] && exit
		until [ -e "$0.reported" ]; do sleep 0.01; done
		exit %d`, runs, code)
}

// A push says that the node is done when everything is there and no run follows,
// while rsync still waits for its child.
func TestReported(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before, after, gone []string // files of the source
		marks               []string
		runs                int
	}{
		"a file":                {[]string{"f=old"}, []string{"f=newer"}, nil, []string{"ic f"}, 1},
		"a directory":           {nil, []string{"d/f=new"}, nil, []string{"i d", "ic d/f"}, 1},
		"all":                   {[]string{"f=old", "g=old"}, []string{"f=newer", "d/f=new"}, []string{"g"}, []string{"a "}, 1},
		"removals":              {[]string{"f=old", "d/f=old"}, nil, []string{"f", "d"}, []string{"i d", "i f"}, 1},
		"a file and a removal":  {[]string{"f=old", "g=old"}, []string{"f=newer"}, []string{"g"}, []string{"ic f", "i g"}, 2},
		"compared by content":   {[]string{"f=old", "g=old"}, []string{"g=newer"}, nil, []string{"ic f", "ic g"}, 2},
		"compared, and removed": {[]string{"f=old", "g=old"}, nil, []string{"g"}, []string{"ic f", "i g"}, 3},
	}
	for _, kind := range []string{"local", "ssh"} {
		p := newSite(t, kind)
		for name, tt := range tests {
			t.Run(kind+", "+name, func(t *testing.T) {
				n := p.node(t)
				n.write(append(tt.before, "other=same")...)
				n.full()
				n.remove(tt.gone...)
				n.write(tt.after...)
				nodetest.Wrap(t, untilReported(tt.runs, 0))(n.options())
				n.age()
				var diff []string
				err := fmt.Errorf("the push has not said that the node is done")
				ctx, cancel := context.WithTimeout(t.Context(), labtest.Limit)
				defer cancel()
				res := n.Push(push.WithReported(ctx, sync.OnceFunc(func() {
					diff, err = lab.Compare(n.src, n.dst, lab.CompareOptions{})
					_ = os.WriteFile(n.o.Program+".reported", nil, 0o600)
				})), set(tt.marks...))
				if err != nil || len(diff) > 0 || res.Outcome != push.Done || res.Left != nil {
					t.Errorf("Push(%q): got %v, left %s, %v; when the node was said to be done the trees differed: %q, %v",
						tt.marks, res.Outcome, marks(res.Left), res.Err, diff, err)
				}
				runs, err := os.ReadFile(n.o.Program + ".runs")
				n.do(err)
				want := tt.runs
				if n.poorHand {
					want++ // the run that has shown it
				}
				if got := strings.Count(string(runs), "\n"); got != want {
					t.Errorf("runs of rsync: got %d, want %d", got, want)
				}
			})
		}
	}
}

// What rsync exits with counts, whatever was reported before.
func TestReportedAndThenABadEnd(t *testing.T) {
	t.Parallel()
	n := newNode(t, "local")
	n.write("f=old")
	n.full()
	nodetest.Wrap(t, untilReported(1, 12))(n.options())
	n.write("f=newer")
	n.age()
	ctx, cancel := context.WithTimeout(t.Context(), labtest.Limit)
	defer cancel()
	reported := false
	res := n.Push(push.WithReported(ctx, func() {
		reported = true
		_ = os.WriteFile(n.o.Program+".reported", nil, 0o600)
	}), set("ic f"))
	if !reported || res.Outcome != push.Again || res.Left != nil {
		t.Errorf("Push: reported %v, got %v, left %s; want all of it to be tried again", reported, res.Outcome, marks(res.Left))
	}
}
