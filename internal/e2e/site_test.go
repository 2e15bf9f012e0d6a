package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// node is a place for a copy and how the configuration says it.
type node struct {
	name string // as the log has it
	dst  string // the directory of the copy
	yaml string // its element of rnodes
}

// site is a source, a directory for everything else, and the daemon.
type site struct {
	*lab.Inosyncd

	t     *testing.T
	dir   string
	src   string
	rsync string // the program, which counts its runs in the file runs
	calls string

	daemons []*lab.Inosyncd // all that were started
}

// newSite makes an empty source. The daemon is not started yet.
func newSite(t *testing.T) *site {
	t.Helper()
	labtest.Need(t, "rsync")
	dir := labtest.Dir(t)
	s := &site{
		t: t, dir: dir,
		src:   filepath.Join(dir, "src"),
		rsync: filepath.Join(dir, "rsync"),
		calls: filepath.Join(dir, "calls"),
	}
	t.Cleanup(func() {
		if err := gone(dir + "/"); err != nil {
			t.Error(err)
		}
	})
	must(t, os.Mkdir(s.src, 0o755))
	write(t, s.rsync, fmt.Sprintf("#!/bin/sh\necho \"$$\" >>'%s'\nexec rsync \"$@\"\n", s.calls))
	must(t, os.Chmod(s.rsync, 0o755))
	return s
}

// runs is how often the daemon has started rsync.
func (s *site) runs() int {
	text, err := os.ReadFile(s.calls)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// config is the configuration for one mirror, of the source to the nodes. For
// more see keys.
func (s *site) config(more string, nodes ...node) string {
	text := s.keys(more) + fmt.Sprintf("name: site\nwpath: %q\nrnodes:\n", s.src)
	for _, n := range nodes {
		text += fmt.Sprintf("  - %s\n", n.yaml)
	}
	return text
}

// keys are what every configuration begins with. Waiting is short in it; more
// has further keys, or others in place of these, one a line.
func (s *site) keys(more string) string {
	text := more + "\n"
	for _, line := range []string{
		"log_format: json",
		fmt.Sprintf("control: %q", filepath.Join(s.dir, "control")),
		fmt.Sprintf("rsync: %q", s.rsync),
		"edelay: 50ms",
		"push_rate: 20",
		"retry_min: 100ms",
		"retry_max: 500ms",
	} {
		key, _, _ := strings.Cut(line, ":")
		if !strings.Contains("\n"+more, "\n"+key+":") {
			text += line + "\n"
		}
	}
	return text
}

// start starts the daemon.
func (s *site) start(config string, args ...string) {
	s.t.Helper()
	s.launch(lab.InosyncdOptions{Binary: binary, Dir: s.dir, Config: config, Args: args})
}

// launch starts the daemon in some other way.
func (s *site) launch(o lab.InosyncdOptions) {
	s.t.Helper()
	d, err := lab.StartInosyncd(o)
	must(s.t, err)
	s.Inosyncd = d
	s.daemons = append(s.daemons, d)
	s.t.Cleanup(func() { s.finish(d) })
}

// finish ends the daemon with its test and sees to it that it ends well, and that
// nothing is left of it.
func (s *site) finish(d *lab.Inosyncd) {
	code, err := d.Stop()
	err = errors.Join(err, s.left(d, code))
	if err != nil || code == 66 || strings.Contains(d.Log(), "panic:") {
		s.t.Errorf("the daemon's end: got exit code %d, %v", code, err)
	}
	if s.t.Failed() {
		text := d.Log()
		s.t.Logf("the log of the daemon:\n%s", text[max(0, len(text)-8000):])
	}
}

// startSynced starts the daemon and waits until every node has had its first
// full sync.
func (s *site) startSynced(config string, nodes ...node) {
	s.t.Helper()
	s.start(config)
	for _, n := range nodes {
		s.wait(1, "pushed", "node", n.name)
	}
}

// wait waits for the n-th line of the log with the message and attributes.
func (s *site) wait(n int, msg string, attrs ...any) lab.Line {
	s.t.Helper()
	l, err := s.WaitLog(labtest.Limit, n, msg, attrs...)
	must(s.t, err)
	return l
}

// reserved reports whether a path is where rsync keeps partial files, which are
// out of sight and no part of a copy.
func reserved(path string, _ bool) bool { return filepath.Base(path) == ".inosyncd-partial" }

// same waits until the nodes equal the source.
func (s *site) same(nodes ...node) {
	s.t.Helper()
	var dsts []string
	for _, n := range nodes {
		dsts = append(dsts, n.dst)
	}
	must(s.t, lab.WaitConverged(labtest.Limit, lab.CompareOptions{Skip: reserved}, s.src, dsts...))
}

// path is the path of an entry of the source.
func (s *site) path(name string) string { return filepath.Join(s.src, name) }

// local is a node that is a local directory.
func (s *site) local(name string) node {
	dst := filepath.Join(s.dir, name)
	must(s.t, os.MkdirAll(dst, 0o755))
	return node{name: dst + "/", dst: dst, yaml: fmt.Sprintf("%q", dst+"/")}
}

// module is a node that is a module of an rsync daemon of its own; users gives
// passwords to those who may push. The first of them does.
func (s *site) module(name, user string) (node, *lab.Daemon) {
	s.t.Helper()
	if os.Geteuid() != 0 {
		s.t.Skip("needs root: an rsync daemon without a chroot changes what links point to")
	}
	m := lab.Module{Name: name, Path: s.local(name).dst}
	if user != "" {
		m.Users = map[string]string{user: "password of " + user}
	}
	d := labtest.Daemon(s.t, m)
	n := node{name: d.URL(user, name), dst: m.Path}
	n.yaml = fmt.Sprintf("%q", n.name)
	if user != "" {
		n.yaml = fmt.Sprintf("{target: %q, password_file: %q}", n.name, d.PasswordFile(user, name))
	}
	return n, d
}

// ssh is a node that is reached by ssh.
func (s *site) ssh(name string) (node, *lab.SSHD) {
	s.t.Helper()
	d := labtest.SSHD(s.t)
	n := node{dst: s.local(name).dst}
	n.name = fmt.Sprintf("%s@127.0.0.1:%s/", d.User, n.dst)
	n.yaml = fmt.Sprintf("{target: %q, ssh: {port: %d, identity_file: %q, known_hosts: %q}}",
		n.name, d.Port(), d.IdentityFile, d.KnownHosts)
	return n, d
}

// must ends the test on an error of its own making.
func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

// exists reports whether there is anything at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// holds waits until the file at path has the content.
func holds(t *testing.T, path, want string) {
	t.Helper()
	labtest.Eventually(t, func() error {
		got, err := os.ReadFile(path)
		if err == nil && string(got) != want {
			err = fmt.Errorf("%q holds %.100q, want %.100q", path, got, want)
		}
		return err
	})
}
