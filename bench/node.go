package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"inosyncd/internal/lab"
)

// node is a mirror and the ways in which it is named.
type node struct {
	mirror string // the directory
	target string // as rsync and lsyncd name it
	rsh    string // rsync's remote shell, "" where there is none
	yaml   string // as inosyncd names it
	stop   func()
}

// transport is a way to a node.
type transport struct {
	name string
	open func(dir string, n *node) error
}

var (
	overLocal  = transport{"local directory", openLocal}
	overDaemon = transport{"rsync daemon", openDaemon}
	overSSH    = transport{"ssh", openSSH}
	transports = []transport{overLocal, overDaemon, overSSH}
)

// newNode makes an empty mirror and, beside it in dir, the server that leads to
// it: one for each node, as each would be a machine of its own.
func newNode(dir string, t transport) (node, error) {
	n := node{mirror: filepath.Join(dir, "mirror"), stop: func() {}}
	if err := os.MkdirAll(n.mirror, 0o755); err != nil {
		return n, err
	}
	return n, t.open(dir, &n)
}

func openLocal(_ string, n *node) error {
	n.target = n.mirror + "/"
	n.yaml = fmt.Sprintf("%q", n.target)
	return nil
}

func openDaemon(dir string, n *node) error {
	d, err := lab.StartDaemon(dir, lab.DaemonOptions{Modules: []lab.Module{{Name: "m", Path: n.mirror}}})
	if err != nil {
		return err
	}
	n.stop, n.target = d.Stop, d.URL("", "m")
	n.yaml = fmt.Sprintf("%q", n.target)
	return nil
}

func openSSH(dir string, n *node) error {
	d, err := lab.StartSSHD(dir)
	if err != nil {
		return err
	}
	n.stop = d.Stop
	n.target = fmt.Sprintf("%s@127.0.0.1:%s/", d.User, n.mirror)
	n.rsh = strings.Join([]string{
		"ssh", "-p", fmt.Sprint(d.Port()), "-i", d.IdentityFile,
		"-oUserKnownHostsFile=" + d.KnownHosts, "-oBatchMode=yes",
		"-oControlMaster=auto", "-oControlPersist=60", "-oControlPath=" + filepath.Join(dir, "cm"),
	}, " ")
	n.yaml = fmt.Sprintf("{target: %q, ssh: {port: %d, identity_file: %q, known_hosts: %q}}",
		n.target, d.Port(), d.IdentityFile, d.KnownHosts)
	return nil
}
