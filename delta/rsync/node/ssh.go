package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
)

// session is the way to a node over ssh: the command that rsync runs, and the
// connection that the pushes to the node share.
type session struct {
	command []string // ssh and its options, without the host
	host    string
	dir     string // holds the socket; "" when nothing is shared
	account account
}

// socketRoom is the longest path of a socket directory. sun_path of unix(7)
// has 108 bytes; ssh binds a name longer by 17 first and renames it.
const socketRoom = 108 - 1 - len("/s") - 17

// newSession never fails: a connection that cannot be shared is only slower.
func newSession(o *Options, who account, log *slog.Logger) *session {
	s := &session{host: o.Address.Host, account: who}
	if o.SocketDir != "" {
		if err := s.makeDir(o.SocketDir); err != nil {
			log.Warn("not sharing the ssh connection", "err", err)
		}
	}
	s.command = s.arguments(o)
	return s
}

// makeDir makes a directory of the session's own below parent, so that one
// node's connection is never in the way of another's.
func (s *session) makeDir(parent string) error {
	dir := filepath.Join(parent, strings.ToLower(rand.Text()[:8]))
	if len(dir) > socketRoom {
		return fmt.Errorf("the socket directory %q is too long by %d bytes", parent, len(dir)-socketRoom)
	}
	if err := os.MkdirAll(parent, 0o711); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := s.account.own(dir); err != nil {
		return errors.Join(err, os.Remove(dir))
	}
	s.dir = dir
	return nil
}

func (s *session) arguments(o *Options) []string {
	program := o.SSH.Command
	if program == "" {
		program = "ssh"
	}
	args := []string{program}
	option := func(value string) { args = append(args, "-o", value) }
	for _, value := range o.SSH.Options {
		option(value) // the first value that ssh gets of an option counts
	}
	option("BatchMode=yes")
	option("StrictHostKeyChecking=yes")
	option("ConnectTimeout=10")
	option("ServerAliveInterval=15")
	if o.SSH.KnownHosts != "" {
		option("UserKnownHostsFile=" + sshQuote(o.SSH.KnownHosts))
	}
	if s.dir != "" {
		option("ControlMaster=auto")
		option("ControlPersist=120")
		option("ControlPath=" + sshQuote(s.dir+"/s"))
	}
	if port := first(o.Address.Port, o.SSH.Port); port != 0 {
		args = append(args, "-p", strconv.Itoa(port))
	}
	if o.Address.User == "" && o.SSH.User != "" {
		args = append(args, "-l", o.SSH.User)
	}
	if o.SSH.IdentityFile != "" {
		args = append(args, "-i", o.SSH.IdentityFile)
	}
	return args
}

// rsh is the command for rsync's -e. rsync gets no HOME, lest a ~/.popt
// changes the meaning of its options; ssh's helpers may need one.
func (s *session) rsh() string {
	words := append([]string{"env", "HOME=" + s.account.home}, s.command...)
	for i, w := range words {
		words[i] = rshQuote(w)
	}
	return strings.Join(words, " ")
}

// rshQuote quotes a word for rsync's -e, which splits at spaces and knows two
// quotes, each of which stands for itself inside when doubled (rsync(1), --rsh).
func rshQuote(word string) string {
	if word != "" && !strings.ContainsAny(word, ` '"`) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", "''") + "'"
}

// sshQuote quotes a path in an ssh option: percent signs start tokens, and
// white space separates arguments, see ssh_config(5).
func sshQuote(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if strings.ContainsAny(path, " \t") {
		return `"` + path + `"`
	}
	return path
}

// close ends the shared connection, where there is one, waiting for ssh's answer.
func (s *session) close() error {
	if s == nil || s.dir == "" {
		return nil
	}
	var err error
	if _, missing := os.Lstat(s.dir + "/s"); missing == nil {
		err = s.exit()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *session) exit() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	args := append(s.command[1:len(s.command):len(s.command)], "-O", "exit", s.host)
	cmd := exec.CommandContext(ctx, s.command[0], args...)
	cmd.Env = append(process.Environment(), "HOME="+s.account.home)
	cmd.SysProcAttr = s.account.attributes()
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ending the ssh connection to %q: %w: %s", s.host, err, printable.Clip(printable.Escape(string(out))))
	}
	return nil
}

func first(a, b int) int {
	if a != 0 {
		return a
	}
	return b
}
