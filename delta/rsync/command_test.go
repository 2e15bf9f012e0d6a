package rsync

import (
	"slices"
	"strings"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
)

func TestProgress(t *testing.T) {
	var last int
	var most int64
	n := newNode(t, "daemon", func(o *node.Options) {
		o.Progress = func(percent int, bytes int64) { last, most = percent, max(most, bytes) }
	})
	n.write("f="+strings.Repeat("x", 1<<20), "g")
	res := n.must(set("a "))
	if last != 100 || most < 1<<20 {
		t.Errorf("Progress: got %d %%, %d bytes, want 100 and %d", last, most, 1<<20)
	}
	if res.Bytes < 1<<20 || res.Paths != 1 || res.Took <= 0 {
		t.Errorf("Push: got %d bytes, %d paths, took %v", res.Bytes, res.Paths, res.Took)
	}
	n.equal()
}

func TestList(t *testing.T) {
	if got, want := string(list([]string{"", "#a", "b/ c\n"})), ".\x00./#a\x00./b/ c\n\x00"; got != want {
		t.Errorf("list: got %q, want %q", got, want)
	}
	got := strings.Split(strings.TrimSuffix(string(removals([]string{"a/b", "a/x*", `\`})), "\x00"), "\x00")
	want := []string{
		"+ /a/", "+ /a/b", "+ /a/b/***", `+ /a/x\*`, `+ /a/x\*/***`, `+ /\`, `+ /\\/***`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("removals: got %q, want %q", got, want)
	}
}

// Behind -- nothing is an option, whatever it begins with.
func TestArgumentsEndOptions(t *testing.T) {
	n := newNode(t, "local")
	for _, m := range []mode{{}, {whole: true, delete: true}, {delete: true, missing: true}, {only: true, exclude: []string{"-x"}}} {
		args := n.arguments(m)
		if end := args[len(args)-3:]; !slices.Equal(end, []string{"--", ".", n.to}) {
			t.Errorf("arguments(%+v): got %q at the end, want --, the source and the node", m, end)
		}
	}
}

func TestTimeout(t *testing.T) {
	for kind, want := range map[node.Kind]string{node.Local: "--timeout=2 32s", node.SSH: "--timeout=2 32s", node.Daemon: " 2s"} {
		n := newNode(t, "local", func(o *node.Options) {
			o.Address = node.Address{Kind: kind, Host: "h", Path: "/x/"}
			o.Timeout = 2 * time.Second
		})
		has := func(m mode) string {
			i := slices.Index(n.arguments(m), "--timeout=2")
			return map[bool]string{true: "--timeout=2"}[i >= 0] + " " + n.idle(m).String()
		}
		if got := has(mode{delete: true}); got != want {
			t.Errorf("arguments of a list, kind %d: got %q, want %q", kind, got, want)
		}
		if got, want := has(mode{whole: true}), "--timeout=2 32s"; got != want {
			t.Errorf("arguments of a whole tree, kind %d: got %q, want %q", kind, got, want)
		}
	}
}
