package rsync

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxPassword bounds what is read of a password file. rsync takes 512 bytes.
const maxPassword = 512

// readPassword reads the first line of a password file. The file has to be a
// regular one of root's or of the user that runs the daemon, which nobody else
// can read, all of this asked of the open descriptor.
func readPassword(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("reading the password file: %w", err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return "", fmt.Errorf("reading the password file %q: %w", path, err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return "", fmt.Errorf("the password file %q is no regular file", path)
	case !Private(int(f.Fd()), st.Mode):
		return "", fmt.Errorf("the password file %q has mode %04o, it must be 0600 or 0400", path, st.Mode&0o7777)
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return "", fmt.Errorf("the password file %q belongs to user %d, it must belong to root or to the user running the daemon", path, st.Uid)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	if err != nil {
		return "", fmt.Errorf("reading the password file %q: %w", path, err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 || len(line) > maxPassword || bytes.IndexByte(line, 0) >= 0 {
		return "", fmt.Errorf("the password file %q holds no password of 1 to %d bytes in its first line", path, maxPassword)
	}
	return string(line), nil
}
