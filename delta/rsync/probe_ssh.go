package rsync

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"time"

	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
)

// onlyRsync is why nothing is known that a command would tell.
const onlyRsync = "the login runs no command but rsync"

// shell has the node's login run a command and returns what it printed, or why
// it did not. The command is of words that no shell takes for more than words:
// ssh hands it to one. It goes over the connection that the pushes share.
func (p *probe) shell(ctx context.Context, command string) (printed []string, why string) {
	s := p.e.ssh
	if limit := p.e.o.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	// One that shared its connection would stay, and keep the pipes open.
	args := slices.Concat([]string{"-o", "ControlMaster=no"}, s.command[1:])
	if p.e.o.Address.User != "" {
		args = append(args, "-l", p.e.o.Address.User)
	}
	args = append(args, s.host, command)
	cmd := exec.CommandContext(ctx, s.command[0], args...)
	cmd.Env = append(process.Environment(), "HOME="+s.account.home)
	if sock := agent(); sock != "" && !s.account.other {
		cmd.Env = append(cmd.Env, sock)
	}
	cmd.SysProcAttr = s.account.attributes()
	cmd.WaitDelay = time.Second
	printed, said, err := process.Run(cmd)
	switch exited, ok := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		return nil, "no answer to a command in time"
	case ok && exited.ExitCode() > 0 && len(said) > 0:
		return nil, onlyRsync + " (" + printable.Clip(printable.Escape(said[0])) + ")"
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return nil, onlyRsync
	}
	return printed, ""
}
