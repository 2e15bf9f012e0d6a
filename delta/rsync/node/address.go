package node

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Kind is the way to a node.
type Kind int

// The ways to a node.
const (
	Local  Kind = iota // a directory of this machine
	SSH                // rsync started at the other end by ssh
	Daemon             // a module of an rsync daemon
)

const (
	scheme     = "rsync://"
	daemonPort = 873 // rsyncd.conf(5)
)

// Address is where a node's copy is. Addresses that compare equal are the same
// place.
type Address struct {
	Kind Kind
	User string // SSH, Daemon; "" is the default
	Host string // SSH, Daemon; IPv6 addresses without brackets
	Port int    // Daemon; 0 is the default
	Path string // Local, SSH: directory; Daemon: module/path; ends in a slash
}

// ParseAddress reads one of the five forms of a node: HOST, [USER@]HOST:PATH,
// [USER@]HOST::MODULE[/PATH], rsync://[USER@]HOST[:PORT]/MODULE[/PATH], or an
// absolute local path. rpath is the path where the form names only a host.
//
// As in rsync, a slash before the first colon makes a path of it, and the last
// @ ends the user. The error does not repeat s, which may hold a password.
func ParseAddress(s, rpath string) (Address, error) {
	switch {
	case s == "":
		return Address{}, errors.New("is empty")
	case strings.ContainsFunc(s, isControl):
		return Address{}, errors.New("has a control character")
	case strings.HasPrefix(s, scheme):
		return parseURL(s[len(scheme):])
	case strings.Contains(s, "://"):
		return Address{}, errors.New("only rsync:// is known of the URLs")
	case strings.HasPrefix(s, "/"):
		return Address{Kind: Local, Path: asDir(s)}, nil
	case bareIPv6(s):
		return Address{}, errors.New("an IPv6 address must stand in brackets")
	}
	login, rest, colon := cutHost(s)
	if strings.Contains(login, "/") {
		return Address{}, errors.New("a local path must be absolute")
	}
	user, host, err := splitLogin(login)
	if err != nil {
		return Address{}, err
	}
	if module, ok := strings.CutPrefix(rest, ":"); ok {
		return daemon(user, host, 0, module)
	}
	if !colon || rest == "" {
		rest = rpath
	}
	if rest == "" || strings.HasPrefix(rest, ":") || strings.ContainsFunc(rest, isControl) {
		return Address{}, errors.New("has no path that can be used")
	}
	return Address{Kind: SSH, User: user, Host: host, Path: asDir(rest)}, nil
}

// parseURL reads what follows rsync://. rsync takes the characters of a URL as
// they are: it knows no %20.
func parseURL(s string) (Address, error) {
	login, module, _ := strings.Cut(s, "/")
	if i := strings.LastIndexByte(login, '@'); i >= 0 && strings.Contains(login[:i], ":") {
		return Address{}, errors.New("a password does not belong here: put it in a file and name that with password_file")
	}
	login, digits, hasPort := cutHost(login)
	user, host, err := splitLogin(login)
	if err != nil {
		return Address{}, err
	}
	port := 0
	if hasPort {
		port, err = strconv.Atoi(digits)
		if err != nil || digits[0] < '1' || digits[0] > '9' || port > 65535 {
			return Address{}, errors.New("the port must be a number from 1 to 65535")
		}
	}
	return daemon(user, host, port, module)
}

func daemon(user, host string, port int, path string) (Address, error) {
	switch module, _, _ := strings.Cut(path, "/"); module {
	case "":
		return Address{}, errors.New("names no module of the rsync daemon")
	case ".", "..":
		return Address{}, fmt.Errorf("%q is no module of an rsync daemon", module)
	}
	// A daemon takes the path for a pattern, and where nothing matches, for a
	// name with whatever escapes it has: glob_expand in util1.c, 3.2.3 to 3.5.1.
	if strings.ContainsAny(path, "*?[") {
		return Address{}, errors.New("has one of * ? [ in its path, which the rsync daemon would expand: make the directory a module of its own")
	}
	if port == daemonPort {
		port = 0
	}
	return Address{Kind: Daemon, User: user, Host: host, Port: port, Path: asDir(path)}, nil
}

// cutHost splits [USER@]HOST:REST at the first colon outside of brackets.
func cutHost(s string) (login, rest string, found bool) {
	from := 0
	if open := strings.IndexByte(s, '['); open >= 0 && (open == 0 || s[open-1] == '@') {
		from = max(from, strings.IndexByte(s, ']'))
	}
	i := strings.IndexByte(s[from:], ':')
	if i < 0 {
		return s, "", false
	}
	return s[:from+i], s[from+i+1:], true
}

// splitLogin reads [USER@]HOST and refuses what ssh or rsync could take for an
// option or for more than a name.
func splitLogin(login string) (user, host string, err error) {
	host = login
	if i := strings.LastIndexByte(login, '@'); i >= 0 {
		user, host = login[:i], login[i+1:]
		if !userName.MatchString(user) {
			return "", "", fmt.Errorf("%q is no user name", user)
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !addr.Is6() || !strings.HasSuffix(inner, "]") || !zoneName.MatchString(addr.Zone()) {
			return "", "", fmt.Errorf("%q is no IPv6 address in brackets", host)
		}
		return user, addr.String(), nil
	}
	if !hostName.MatchString(host) {
		return "", "", fmt.Errorf("%q is no host name", host)
	}
	return user, host, nil
}

var (
	hostName = regexp.MustCompile(`^[\pL\pN_][\pL\pN_.-]*$`)
	zoneName = regexp.MustCompile(`^[\w.-]*$`)

	// A user may be DOMAIN\name or name@domain. What ssh refuses is refused.
	userName = regexp.MustCompile("^[^-\\s:/\\[\\]'\"`;&<>|(){}$*?][^\\s:/\\[\\]'\"`;&<>|(){}*?]*$")
)

// bareIPv6 reports whether s begins with an IPv6 address without brackets,
// the first group of which would be taken for a host. "a::" is no address but
// a host without its module.
func bareIPv6(s string) bool {
	login, _, _ := strings.Cut(s, "/")
	s = s[strings.LastIndexByte(login, '@')+1:]
	for i := range len(s) + 1 {
		if i < len(s) && s[i] != ':' {
			continue
		}
		addr, err := netip.ParseAddr(s[:i])
		if err == nil && addr.Is6() && zoneName.MatchString(addr.Zone()) && s[i-1] != ':' {
			return true
		}
	}
	return false
}

// asDir ends path in exactly one slash, so that two spellings of a directory
// compare equal, and drops the empty and "." components of an absolute one.
// ".." stays: what it leads to is the file system's to say.
func asDir(path string) string {
	if !strings.HasPrefix(path, "/") {
		return strings.TrimRight(path, "/") + "/"
	}
	var b strings.Builder
	b.WriteByte('/')
	for part := range strings.SplitSeq(path, "/") {
		if part != "" && part != "." {
			b.WriteString(part + "/")
		}
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// escapeWild is for the paths of nodes reached by ssh. What else a shell could
// take for more than a letter rsync escapes, of the backslashes those that are
// not before one of these (safe_arg in options.c, 3.2.4 to 3.5.1).
var escapeWild = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`)

// Operand is the address as rsync is to have it: wildcards, which it would leave
// to the login's shell to expand, are escaped.
func (a Address) Operand() string {
	if a.Kind == SSH {
		a.Path = escapeWild.Replace(a.Path)
	}
	return a.String()
}

// String is the node's name in logs and status. ParseAddress reads it back.
func (a Address) String() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if a.User != "" {
		host = a.User + "@" + host
	}
	switch {
	case a.Kind == Local:
		return a.Path
	case a.Kind == SSH:
		return host + ":" + a.Path
	case a.Port == 0:
		return host + "::" + a.Path
	}
	return scheme + host + ":" + strconv.Itoa(a.Port) + "/" + a.Path
}
