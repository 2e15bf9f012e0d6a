package node

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that rsync and ssh run as.
type account struct {
	home   string
	uid    int
	gid    int
	groups []uint32
	other  bool // not the user that runs the daemon
}

// accountOf looks up the user name; "" is the user that runs the daemon.
func accountOf(name string) (account, error) {
	if name == "" {
		a := account{uid: os.Geteuid(), gid: os.Getegid(), home: "/"}
		if u, err := user.LookupId(strconv.Itoa(a.uid)); err == nil && u.HomeDir != "" {
			a.home = u.HomeDir
		}
		return a, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("looking up user %q: %w", name, err)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return account{}, fmt.Errorf("looking up the groups of user %q: %w", name, err)
	}
	a := account{home: u.HomeDir}
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return account{}, fmt.Errorf("looking up user %q: %w", name, err)
	}
	if a.gid, err = strconv.Atoi(u.Gid); err != nil {
		return account{}, fmt.Errorf("looking up user %q: %w", name, err)
	}
	for _, id := range ids {
		gid, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("looking up the groups of user %q: %w", name, err)
		}
		a.groups = append(a.groups, uint32(gid))
	}
	a.other = a.uid != os.Geteuid()
	if a.other && os.Geteuid() != 0 {
		return account{}, fmt.Errorf("running rsync as user %q: only root can", name)
	}
	return a, nil
}

// attributes put a process into a session of its own, without a terminal that
// it could ask for a password, and give it to the account.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.other {
		attr.Credential = &syscall.Credential{
			Uid: uint32(a.uid), Gid: uint32(a.gid), Groups: a.groups,
		}
	}
	return attr
}

// own gives path to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// agent is the variable that leads ssh to the agent with the keys, or "".
func agent() string {
	sock := os.Getenv("SSH_AUTH_SOCK")
	if sock == "" {
		return ""
	}
	return "SSH_AUTH_SOCK=" + sock
}
