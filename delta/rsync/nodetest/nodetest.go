// Package nodetest has nodes of every kind for the tests of what runs rsync: a
// directory, a module of an rsync daemon, a login by ssh. All of it fails the test
// rather than return an error, and lasts as long as that; nothing blocks for long.
package nodetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
	"inosyncd/internal/filter"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/source"
)

// Wrap has a script run for a node in place of rsync, in which RSYNC stands
// for rsync with the arguments it was given.
func Wrap(t testing.TB, script string) func(*node.Options) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rsync")
	Program(t, path, strings.ReplaceAll(script, "RSYNC", `rsync "$@"`))
	return func(o *node.Options) { o.Program = path }
}

// Program writes a script to be run. No other test starts a process meanwhile:
// what it has still open for writing is not run, ETXTBSY in execve(2).
func Program(t testing.TB, path, script string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// PasswordFile has a node log in as u with the password in a file.
func PasswordFile(t testing.TB, text string, mode os.FileMode) func(*node.Options) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return func(o *node.Options) { o.Address.User, o.PasswordFile = "u", path }
}

// Rules are exclude rules, of one line each.
func Rules(t testing.TB, lines ...string) *filter.Rules {
	t.Helper()
	var in []filter.Line
	for _, text := range lines {
		in = append(in, filter.Line{Text: text})
	}
	r, err := filter.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Kinds are the ways to a node that the tests go. Each starts what serves the
// directory base, for the time of the test, and returns what makes a directory
// below it the node.
var Kinds = map[string]func(t testing.TB, base string) func(dst string, o *node.Options){
	"local": func(testing.TB, string) func(string, *node.Options) {
		return func(dst string, o *node.Options) { o.Address = node.Address{Kind: node.Local, Path: dst + "/"} }
	},
	"daemon": func(t testing.TB, base string) func(string, *node.Options) {
		d := labtest.Daemon(t, lab.Module{Name: "m", Path: base})
		return func(dst string, o *node.Options) {
			o.Address = node.Address{Kind: node.Daemon, Host: "127.0.0.1", Port: d.Port(), Path: "m" + strings.TrimPrefix(dst, base) + "/"}
		}
	},
	"ssh": func(t testing.TB, _ string) func(string, *node.Options) {
		s := labtest.SSHD(t)
		return func(dst string, o *node.Options) {
			o.Address = node.Address{Kind: node.SSH, Host: "127.0.0.1", Path: dst + "/"}
			o.SSH = node.SSHOptions{Port: s.Port(), User: s.User, IdentityFile: s.IdentityFile, KnownHosts: s.KnownHosts}
			o.SocketDir = labtest.Dir(t)
		}
	},
}

// Place is where nodes of one kind can be made.
type Place struct {
	Base string
	Use  func(dst string, o *node.Options)
}

// New starts what serves nodes of a kind.
func New(t testing.TB, kind string) *Place {
	t.Helper()
	labtest.Need(t, "rsync")
	base := labtest.Dir(t)
	return &Place{base, Kinds[kind](t, base)}
}

// Options makes a source and a node's directory, both empty, and returns the
// options of an archive between them.
func (p *Place) Options(t testing.TB) (o node.Options, src, dst string) {
	t.Helper()
	dir, err := os.MkdirTemp(p.Base, "") //nolint:usetesting // below what is served
	if err != nil {
		t.Fatal(err)
	}
	src, dst = filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	root := source.New(src)
	if err := errors.Join(os.Mkdir(src, 0o755), os.Mkdir(dst, 0o755), root.Adopt()); err != nil {
		t.Fatal(err)
	}
	o = node.Options{
		Source: root, Recursive: true, Delete: true,
		Archive: true, Times: true, Perms: true, Owner: true, Group: true,
		Partial: true, Timeout: 20 * time.Second,
	}
	p.Use(dst, &o)
	return o, src, dst
}
