package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// TestOlderRsync has an older rsync at the nodes, as the daemon's own, and at
// both ends, with what the two have to agree about turned on.
func TestOlderRsync(t *testing.T) {
	t.Parallel()
	older, version := olderRsync(t)
	installed, err := exec.LookPath("rsync")
	must(t, err)
	for name, end := range map[string]struct{ here, there string }{
		"at the nodes": {installed, older},
		"here":         {older, installed},
		"at both ends": {older, older},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.runsRsync(end.here)
			nodes := []node{s.local("local"), s.sshOf(end.there), s.moduleOf(end.there)}
			config := s.config("compress: true\nxattrs: true\nhard_links: true\ndelay_updates: true\nmax_delete: 1000", nodes...)
			file := filepath.Join(s.dir, "check.yaml")
			write(t, file, config)
			if code, text := inosyncd(t, "check", "-c", file); code == 78 && strings.Contains(text, "install 3.2.4 or newer") {
				t.Skipf("%s is for nodes alone: %s", version, text)
			}
			write(t, s.path("twin"), "two names")
			must(t, os.Link(s.path("twin"), s.path("other")))
			_ = unix.Setxattr(s.path("twin"), "user.inosyncd", []byte("kept"), 0) // where the file system has them
			s.startSynced(config, nodes...)
			s.same(nodes...)
			s.oddNames(nodes...)
			s.rewrites(nodes...)
			s.checks(nodes...)
		})
	}
}

// olderRsync is the program that OLDER_RSYNC names.
func olderRsync(t *testing.T) (program, version string) {
	t.Helper()
	program = os.Getenv("OLDER_RSYNC")
	if program == "" {
		t.Skip("OLDER_RSYNC names no second rsync: packaging/older-rsync gets one, see CONTRIBUTING.md")
	}
	text, err := exec.CommandContext(t.Context(), program, "--version").Output()
	must(t, err)
	version, _, _ = strings.Cut(string(text), "\n")
	t.Log(version)
	return program, version
}

// runsRsync has the daemon run a program in place of the installed rsync.
func (s *site) runsRsync(program string) {
	s.t.Helper()
	write(s.t, s.rsync, fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\"\n", program))
}

// sshOf is a node that is reached by ssh and has an rsync of its own.
func (s *site) sshOf(program string) node {
	n, _ := s.ssh("remote [node]")
	n.yaml = strings.TrimSuffix(n.yaml, "}") + fmt.Sprintf(", rsync_args: [%q]}", "--rsync-path="+program)
	return n
}

// moduleOf is a module of a daemon that is that rsync.
func (s *site) moduleOf(program string) node {
	s.t.Helper()
	if os.Geteuid() != 0 {
		s.t.Skip("needs root: an rsync daemon without a chroot changes what links point to")
	}
	dst := s.local("module").dst
	d, err := lab.StartDaemon(labtest.Dir(s.t), lab.DaemonOptions{
		Program: program, Modules: []lab.Module{{Name: "m", Path: dst}},
	})
	must(s.t, err)
	s.t.Cleanup(d.Stop)
	name := d.URL("", "m")
	return node{name: name, dst: dst, yaml: fmt.Sprintf("%q", name)}
}

// rewrites makes changes that only times and content tell, and changes of type.
func (s *site) rewrites(nodes ...node) {
	t := s.t
	t.Helper()
	must(t, os.MkdirAll(s.path("tree/deep"), 0o755))
	write(t, s.path("tree/deep/file"), strings.Repeat("old", 1<<16))
	s.same(nodes...)
	write(t, s.path("tree/deep/file"), strings.Repeat("new", 1<<16))
	must(t, os.Chmod(s.path("tree"), 0o700), os.Symlink("tree/deep", s.path("type")))
	s.same(nodes...)
	must(t, os.Remove(s.path("type")), os.Mkdir(s.path("type"), 0o755), os.Rename(s.path("tree/deep"), s.path("type/deep")))
	s.same(nodes...)
	must(t, os.RemoveAll(s.path("type")))
	write(t, s.path("type"), "now a file")
	s.same(nodes...)
}

// checks has nodes that equal the source looked at by the commands, and one that
// does not.
func (s *site) checks(nodes ...node) {
	t := s.t
	t.Helper()
	run := func(want int, args ...string) string {
		code, text := inosyncd(t, append(args, "-c", s.ConfigFile())...)
		if code != want {
			t.Errorf("inosyncd %q: got exit code %d and\n%s\nwant %d", args, code, text, want)
		}
		return text
	}
	run(0, "verify")
	run(0, "check", "--remote")
	s.same(nodes...) // still
	for _, n := range nodes {
		path := filepath.Join(n.dst, "type")
		info, err := os.Stat(path)
		must(t, err)
		write(t, path, "not a file")
		must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	}
	if text := run(1, "verify"); strings.Count(text, ": content: type\n") != len(nodes) {
		t.Errorf("verify of nodes with other content: got\n%s\nwant each of them to differ", text)
	}
}
