// Package node says where a node is, what is asked of rsync there, and how rsync
// gets to it.
//
// An [Address] is one of the five forms in which people name a place to rsync,
// taken apart; two that compare equal are the same place. [CheckArgs] tells which
// of rsync's options may be added to those that inosyncd gives it. Both are what a
// configuration knows of nodes, and pure. [Options] are all that is set for a node,
// and a [Node] makes of them what every rsync for it is started with: arguments,
// environment and account, the password, the ssh connection that all of them share.
// What a single run is to do, whoever starts it adds.
//
// # Blocking and shutdown
//
// Nothing here runs on, but for the shared connection, which is ssh's own process:
// Close ends it and waits, for some seconds at most. New looks the account up, Spec
// reads the password file, Check asks rsync for its version; nothing else blocks. The
// methods of a Node can run at once, but for Close, which comes last.
package node

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"slices"
	"time"

	"inosyncd/delta/rsync/process"
)

// Node is a node as rsyncs are started for it.
type Node struct {
	Options // as they were given to New
	account account
	ssh     *session // nil where the node is not reached by ssh
}

// New returns the node that o describes. It starts nothing.
func New(o Options) (*Node, error) {
	if o.Address.Path == "" || o.Source == nil {
		return nil, errors.New("preparing a node: it needs a source, and an address with a path")
	}
	if err := CheckArgs(o.Args); err != nil {
		return nil, err
	}
	n := &Node{Options: o}
	n.Args = slices.Clone(o.Args)
	if n.Log == nil {
		n.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if n.account, err = accountOf(o.User); err != nil {
		return nil, err
	}
	if o.Address.Kind == SSH {
		n.ssh = newSession(&n.Options, n.account, n.Log)
	}
	return n, nil
}

// Spec returns what an rsync with the given arguments is started with, but for its
// directory. It reads the password file.
func (n *Node) Spec(args []string) (process.Spec, error) {
	s := process.Spec{Program: n.Program, Args: args, Env: process.Environment(), Attr: n.account.attributes()}
	switch n.Address.Kind {
	case SSH:
		if sock := agent(); sock != "" && !n.account.other {
			s.Env = append(s.Env, sock)
		}
	case Daemon:
		// Without one, rsync would ask for it on standard input: the list.
		var password string
		if n.PasswordFile != "" {
			var err error
			if password, err = readPassword(n.PasswordFile); err != nil {
				return process.Spec{}, err
			}
		}
		s.Env = append(s.Env, "RSYNC_PASSWORD="+password)
	}
	return s, nil
}

// Shell returns a command that has the node's login run words. It is for nodes that
// are reached by ssh, which hands the words to a shell there: none may mean more to
// one than a word. It goes over the connection that the rsyncs share.
func (n *Node) Shell(ctx context.Context, words string) *exec.Cmd {
	s := n.ssh
	// One that shared its connection would stay, and keep the pipes open.
	args := slices.Concat([]string{"-o", "ControlMaster=no"}, s.command[1:])
	if n.Address.User != "" {
		args = append(args, "-l", n.Address.User)
	}
	args = append(args, s.host, words)
	cmd := exec.CommandContext(ctx, s.command[0], args...)
	cmd.Env = append(process.Environment(), "HOME="+s.account.home)
	if sock := agent(); sock != "" && !s.account.other {
		cmd.Env = append(cmd.Env, sock)
	}
	cmd.SysProcAttr = s.account.attributes()
	cmd.WaitDelay = time.Second
	return cmd
}

// Own gives path, on this machine, to the account that rsync runs as.
func (n *Node) Own(path string) error { return n.account.own(path) }

// UID is the user that rsync runs as on this machine.
func (n *Node) UID() int { return n.account.uid }

// Close ends the shared ssh connection, where there is one, and waits for that.
func (n *Node) Close() error { return n.ssh.close() }
