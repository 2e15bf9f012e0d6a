package process

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// HeldPath is where a child finds what its feed holds: at its first descriptor
// behind standard error.
const HeldPath = "/proc/self/fd/3"

// feed gives a child bytes besides its standard input. The zero feed gives none.
// It is a pipe because rsync resolves the names of files it is to read by itself
// (3.5.0), and finds of what has no name in a directory only pipes.
type feed struct {
	bytes        []byte
	ours, theirs *os.File
}

// open makes cmd find b at HeldPath.
func (f *feed) open(cmd *exec.Cmd, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe for rsync: %w", err)
	}
	*f = feed{b, ours, theirs}
	if c := cmd.SysProcAttr.Credential; c != nil {
		// It opens the pipe by a name, which needs the permission.
		if err := unix.Fchown(int(theirs.Fd()), int(c.Uid), int(c.Gid)); err != nil {
			f.started()
			f.close()
			return fmt.Errorf("giving rsync a pipe: %w", err)
		}
	}
	cmd.ExtraFiles = []*os.File{theirs}
	return nil
}

// started releases what only the child needs.
func (f *feed) started() {
	if f.theirs != nil {
		_ = f.theirs.Close()
	}
}

// write gives the child its bytes, and returns when it has them, has ended, or
// close is called.
func (f *feed) write() {
	if f.ours != nil {
		_, _ = f.ours.Write(f.bytes)
		_ = f.ours.Close()
	}
}

// close ends a write.
func (f *feed) close() {
	if f.ours != nil {
		_ = f.ours.Close()
	}
}
