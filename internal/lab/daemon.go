package lab

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Module is a module of an rsync daemon. Fields are named as in rsyncd.conf(5).
type Module struct {
	Name           string
	Path           string
	ReadOnly       bool
	MaxConnections int               // 0 is no limit
	HostsDeny      string            // "" denies nobody
	Users          map[string]string // passwords of "auth users"; none: anybody
}

// DaemonOptions say what an rsync daemon serves.
type DaemonOptions struct {
	Modules  []Module
	Program  string // "" is the installed rsync
	NoChroot bool   // for root too
}

// Daemon is a stock rsync daemon on 127.0.0.1.
type Daemon struct{ server }

// StartDaemon starts an rsync daemon whose own files are in dir. Started by
// root it writes as root and in a chroot. Started by another it cannot, and a
// daemon without a chroot changes what links point to: it makes them stay
// inside the module, "munge symlinks" or not (rsyncd.conf(5), "use chroot").
func StartDaemon(dir string, o DaemonOptions) (*Daemon, error) {
	program := o.Program
	if program == "" {
		found, err := find("rsync")
		if err != nil {
			return nil, err
		}
		program = found
	}
	d := &Daemon{server{name: "rsyncd", dir: dir}}
	if err := d.configure(o); err != nil {
		return nil, fmt.Errorf("configuring an rsync daemon: %w", err)
	}
	d.command = func(port int) *exec.Cmd {
		return exec.Command(program, "--daemon", "--no-detach", "--config="+d.file("conf"),
			"--address=127.0.0.1", fmt.Sprintf("--port=%d", port))
	}
	return d, d.startAnywhere()
}

func (d *Daemon) configure(o DaemonOptions) error {
	root := os.Geteuid() == 0
	var conf strings.Builder
	set := func(key string, value any) { fmt.Fprintf(&conf, "%s = %v\n", key, value) }
	set("log file", d.file("log"))
	set("lock file", d.file("lock"))
	set("reverse lookup", "no")
	set("use chroot", root && !o.NoChroot)
	set("munge symlinks", "no")
	if root {
		set("uid", "root")
		set("gid", "root")
	}
	for _, m := range o.Modules {
		fmt.Fprintf(&conf, "\n[%s]\n", m.Name)
		set("path", m.Path)
		set("read only", m.ReadOnly)
		if m.MaxConnections > 0 {
			set("max connections", m.MaxConnections)
		}
		if m.HostsDeny != "" {
			set("hosts deny", m.HostsDeny)
		}
		if len(m.Users) > 0 {
			set("auth users", strings.Join(slices.Sorted(maps.Keys(m.Users)), ","))
			set("secrets file", d.file(m.Name+".secrets"))
		}
		if err := d.writeSecrets(m); err != nil {
			return err
		}
	}
	return os.WriteFile(d.file("conf"), []byte(conf.String()), 0o600)
}

// writeSecrets writes what the daemon reads, and for each user what a client
// does.
func (d *Daemon) writeSecrets(m Module) error {
	var all strings.Builder
	for user, password := range m.Users {
		fmt.Fprintf(&all, "%s:%s\n", user, password)
		if err := os.WriteFile(d.PasswordFile(user, m.Name), []byte(password+"\n"), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(d.file(m.Name+".secrets"), []byte(all.String()), 0o600)
}

// PasswordFile is a file with the password of a module's user, as rsync's
// --password-file takes it.
func (d *Daemon) PasswordFile(user, module string) string {
	return filepath.Join(d.dir, fmt.Sprintf("%s.%s.password", module, user))
}

// URL is the address of a module; user may be empty.
func (d *Daemon) URL(user, module string) string {
	if user != "" {
		user += "@"
	}
	return fmt.Sprintf("rsync://%s127.0.0.1:%d/%s/", user, d.port, module)
}
