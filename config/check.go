package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
)

// longestSocket is the longest path of a unix socket: sun_path of unix(7) has
// 108 bytes, the last of them NUL.
const longestSocket = 107

// DefaultControl is the control socket where none is named, "" where there is
// no place for it.
func DefaultControl() string {
	if os.Geteuid() == 0 {
		return "/run/inosyncd.sock"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "inosyncd.sock")
	}
	return ""
}

// openRegular opens a regular file for reading, without waiting for the
// writer of a FIFO that stands in its place.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errors.New("is no regular file")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// checkPassword checks on the open file that there is a password, and that
// nobody else can read or could have written it.
func (l *loader) checkPassword(x *setting, path string) {
	if err := node.CheckPassword(path); err != nil {
		l.bad(x, x.node, err.Error(), "")
	}
}

// checkProgram checks that rsync is there and can be run.
func (l *loader) checkProgram(s *scope) {
	x := s.find("rsync")
	if x.value == nil || x.used {
		return
	}
	x.used = true
	path := x.node.Value
	if path == "" {
		l.bad(x, x.node, "must be an absolute path", "")
		return
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.bad(x, x.node, "is not there: install rsync or name the program here", "")
	case err != nil:
		l.bad(x, x.node, "cannot be looked at: "+cause(err), "")
	case !st.Mode().IsRegular():
		l.bad(x, x.node, "is no program", "")
	case unix.Access(path, unix.X_OK) != nil:
		l.bad(x, x.node, "is not executable", "")
	default:
		l.programs = append(l.programs, l.of(x, x.node))
	}
}

// checkDirectory reports what is at path and no directory.
func (l *loader) checkDirectory(x *setting, path string) {
	st, err := os.Stat(strings.TrimRight(path, "/") + "/.")
	if errors.Is(err, unix.ENOTDIR) || err == nil && !st.IsDir() {
		l.bad(x, x.node, "is no directory", "")
	}
}

// checkNested reports a local node that is its own source, lies in it or
// holds it: a sync would copy its own copy, or delete the source. Where ssh to
// this machine leads is for ssh to say, so that is warned of.
func (l *loader) checkNested(x *setting, wpath string, n Node) {
	here := n.Address.Kind == node.SSH && n.SSH.Port == 0 && n.SSH.Command == "" && loopback(n.Address.Host)
	if wpath == "" || !filepath.IsAbs(n.Address.Path) || n.Address.Kind != node.Local && !here {
		return
	}
	switch source, node := resolve(wpath), resolve(n.Address.Path); {
	case here && (within(node, source) || within(source, node)):
		l.warn(x, x.node, fmt.Sprintf("if the host is this machine, the node and its own source %s lie one in the other", wpath))
	case here:
	case within(node, source):
		l.bad(x, x.node, fmt.Sprintf("the node is inside its own source %s", wpath), "")
	case within(source, node):
		l.bad(x, x.node, fmt.Sprintf("the source %s is inside this node", wpath), "")
	}
}

// loopback reports whether host is a usual name of the machine itself.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// resolve follows the links of path as far as it exists.
func resolve(path string) string {
	rest := ""
	path = "/" + strings.Trim(path, "/")
	for dir := path; ; dir = filepath.Dir(dir) {
		if found, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(found, rest)
		}
		if dir == "/" {
			return filepath.Join(dir, rest)
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// within reports whether path is dir or lies below it, by name or, as through
// a bind mount, by identity. Both are resolved.
func within(path, dir string) bool {
	want, wantErr := os.Stat(dir)
	for ; ; path = filepath.Dir(path) {
		if path == dir {
			return true
		}
		if got, err := os.Stat(path); err == nil && wantErr == nil && os.SameFile(got, want) {
			return true
		}
		if path == "/" {
			return false
		}
	}
}
