package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// makeSocketDir makes the directory for the sockets of shared ssh connections.
// A socket's path must fit into 108 bytes (unix(7)), so it is kept short. The
// name holds the process's number, so that what a killed daemon left behind is
// known for that by the next.
func makeSocketDir() (string, error) {
	base := os.Getenv("RUNTIME_DIRECTORY") // systemd.exec(5)
	if base == "" && os.Geteuid() == 0 {
		base = "/run"
	}
	if base == "" {
		base = os.Getenv("XDG_RUNTIME_DIR")
	}
	if base == "" {
		base = os.TempDir()
	}
	sweepSocketDirs(base)
	name := fmt.Sprintf("%s%d-", socketDirPrefix, os.Getpid())
	dir, err := os.MkdirTemp(base, name)
	if err != nil { // it is read-only, or not there
		dir, err = os.MkdirTemp("", name)
	}
	if err != nil {
		return "", fmt.Errorf("making the directory for ssh's sockets (TMPDIR can name another place): %w", err)
	}
	return dir, os.Chmod(dir, 0o711) //nolint:gosec // other users' own directories are below
}

const socketDirPrefix = "inosyncd-"

// sweepSocketDirs removes the directories below base of daemons that are no
// more. One that cannot be removed is in nobody's way.
func sweepSocketDirs(base string) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), socketDirPrefix)
		number, _, hasNumber := strings.Cut(name, "-")
		pid, err := strconv.Atoi(number)
		if !ok || !hasNumber || err != nil || pid <= 0 || !e.IsDir() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if ok && int(st.Uid) == os.Geteuid() && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(filepath.Join(base, e.Name()))
		}
	}
}

// socketDirOf is the directory below dir that belongs to the user an engine
// runs as.
func socketDirOf(dir, name string) (string, error) {
	uid, gid := os.Geteuid(), os.Getegid()
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return "", err
		}
		if gid, err = strconv.Atoi(u.Gid); err != nil {
			return "", err
		}
	}
	dir = filepath.Join(dir, strconv.Itoa(uid))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("making the directory for ssh's sockets: %w", err)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return "", fmt.Errorf("making the directory for ssh's sockets: %w", err)
	}
	return dir, nil
}
