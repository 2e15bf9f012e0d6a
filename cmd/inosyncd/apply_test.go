package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"inosyncd/config"
)

func TestMatch(t *testing.T) {
	at := func(name, wpath string) config.Mirror { return config.Mirror{Name: name, WPath: wpath, Enabled: true} }
	for _, tt := range []struct {
		name     string
		running  []config.Mirror
		next     []config.Mirror
		was      []string
		leftOver []string
	}{
		{"the first start", nil, []config.Mirror{at("a", "/a/")}, []string{""}, nil},
		{"the same in another order", []config.Mirror{at("a", "/a/"), at("b", "/b/")}, []config.Mirror{at("b", "/b/"), at("a", "/a/")}, []string{"b", "a"}, nil},
		{"renamed", []config.Mirror{at("a", "/a/")}, []config.Mirror{at("x", "/a/")}, []string{""}, []string{"a"}},
		{"names swapped", []config.Mirror{at("a", "/a/"), at("b", "/b/")}, []config.Mirror{at("b", "/a/"), at("a", "/b/")}, []string{"", ""}, []string{"a", "b"}},
		{"two of one tree, one renamed", []config.Mirror{at("a", "/a/"), at("b", "/a/")}, []config.Mirror{at("x", "/a/"), at("a", "/a/")}, []string{"", "a"}, []string{"b"}},
		{"another tree", []config.Mirror{at("a", "/a/")}, []config.Mirror{at("a", "/b/")}, []string{""}, []string{"a"}},
		{"disabled", []config.Mirror{at("a", "/a/")}, []config.Mirror{{Name: "a", WPath: "/a/"}}, []string{""}, []string{"a"}},
		{"removed and added", []config.Mirror{at("a", "/a/"), at("b", "/b/")}, []config.Mirror{at("b", "/b/"), at("c", "/c/")}, []string{"b", ""}, []string{"a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var running []*mirror
			for _, cfg := range tt.running {
				running = append(running, &mirror{cfg: cfg})
			}
			names := func(mirrors []*mirror) (names []string) {
				for _, m := range mirrors {
					if m == nil {
						m = &mirror{}
					}
					names = append(names, m.cfg.Name)
				}
				return names
			}
			was, gone := match(running, &config.Config{Mirrors: tt.next})
			if diff := cmp.Diff([][]string{tt.was, tt.leftOver}, [][]string{names(was), names(gone)}); diff != "" {
				t.Errorf("match() (-want +got):\n%s", diff)
			}
		})
	}
}

// supervised is a supervisor: apply returns the nodes that run, load makes a
// configuration of rnodes, log is what was logged at error.
func supervised(t *testing.T) (apply func(*config.Config) string, load func(rnodes string) *config.Config, log func() string) {
	t.Helper()
	rsync, err := exec.LookPath("rsync")
	if err != nil {
		t.Skip("needs rsync: apt-get install rsync")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "src"), 0o755); err != nil {
		t.Fatal(err)
	}
	lines, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lines.Close() })
	log = func() string {
		text, _ := os.ReadFile(lines.Name())
		return string(text)
	}
	s := newSupervisor(&app{})
	s.log, s.sockets = slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: slog.LevelError})), t.TempDir()
	t.Cleanup(s.stop)
	apply = func(cfg *config.Config) string {
		s.apply(context.Background(), cfg)
		var nodes []string
		for _, m := range s.running {
			for _, n := range m.nodes.Snapshot() {
				nodes = append(nodes, filepath.Base(n.Node))
			}
		}
		return strings.Join(nodes, " ")
	}
	load = func(rnodes string) *config.Config {
		file := filepath.Join(dir, "conf.yaml")
		text := fmt.Sprintf("wpath: %s/src\nrpath: /nowhere/\nrsync: %s\nrnodes: %s\n", dir, rsync, strings.ReplaceAll(rnodes, "DIR", dir))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	return apply, load, log
}

// A change that cannot be made, though there is no fault in the configuration,
// leaves the mirror as it runs, and the next one can.
func TestApplyThatFails(t *testing.T) {
	apply, load, log := supervised(t)
	if got := apply(load("[DIR/a, DIR/b, DIR/c]")); got != "a b c" {
		t.Fatalf("apply(): got nodes %q, want a b c", got)
	}
	broken := load("[DIR/a, DIR/b]")
	broken.Mirrors[0].Nodes[1].User = "nobody-of-this-name"
	if got := apply(broken); got != "a b" || !strings.Contains(log(), "nobody-of-this-name") {
		t.Errorf("apply() of what cannot be: got nodes %q, want a b, and the error in %q", got, log())
	}
	if got := apply(load("[DIR/a, DIR/b, DIR/c]")); got != "a b c" {
		t.Errorf("apply() afterwards: got nodes %q, want a b c", got)
	}
	first := load("[DIR/a]")
	first.Mirrors[0].Enabled = false
	if got := apply(first); got != "" {
		t.Errorf("apply() of a disabled mirror: got nodes %q, want none", got)
	}
	broken.Mirrors[0].Nodes = slices.Clone(broken.Mirrors[0].Nodes[1:])
	if got := apply(broken); got != "" {
		t.Errorf("apply() of what cannot be started: got nodes %q, want none", got)
	}
}
