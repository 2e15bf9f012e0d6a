package probe

import (
	"context"
	"errors"
	"os/exec"

	"inosyncd/delta/rsync/process"
	"inosyncd/internal/printable"
)

// onlyRsync is why nothing is known that a command would tell.
const onlyRsync = "the login runs no command but rsync"

// shell has the node's login run a command and returns what it printed, or why
// it did not. The command is of words that no shell takes for more than words.
func (p *probe) shell(ctx context.Context, command string) (printed []string, why string) {
	if limit := p.node.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	printed, said, err := process.Run(p.node.Shell(ctx, command))
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
