// Package secret reads files that hold a secret: passwords of rsync daemons and
// the token of the web page. Such a file must be a regular file that belongs to root
// or to the user of this process, and nobody else may read or write it. This is
// checked on the open descriptor, so it holds for what is read.
//
// # Ordering
//
// Every call reads the file again.
//
// # Blocking
//
// A call waits for the file system only: a FIFO in place of the file is refused.
//
// # Shutdown
//
// There is nothing to close but the file that [Open] returns.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens the file of a secret. Its errors say what is wrong with the file,
// for a text that has named it: "has mode 0644, must have 0600 or 0400". One
// that is not there is fs.ErrNotExist.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, errors.New("must not be a symbolic link")
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if err := check(int(f.Fd())); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func check(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return unreadable(err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return errors.New("is no regular file")
	case !private(fd, st.Mode):
		return fmt.Errorf("has mode %04o, must have 0600 or 0400", st.Mode&0o7777)
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return fmt.Errorf("belongs to user %d, must belong to root or to the user running the daemon", st.Uid)
	}
	return nil
}

// Line is the first line of the file, of least to most bytes and without NUL.
// Its errors are as those of Open and have nothing of what is in the file.
func Line(path string, least, most int) (string, error) {
	f, err := Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+2)) // and "\r\n"
	if err != nil {
		return "", unreadable(err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) < least || len(line) > most || bytes.IndexByte(line, 0) >= 0 {
		return "", fmt.Errorf("must hold %d to %d bytes in its first line", least, most)
	}
	return string(line), nil
}

// unreadable is err without the path, which the reader knows.
func unreadable(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
