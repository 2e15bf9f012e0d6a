package lab

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
)

// SSHD is a stock sshd on 127.0.0.1 that lets in the user who started it, by
// a key of its own. It reads and changes nothing in /etc/ssh or in the user's
// home directory.
type SSHD struct {
	server

	User         string // who may log in: the current user
	IdentityFile string // the private key to log in with
	KnownHosts   string // the server's key, for UserKnownHostsFile
}

// StartSSHD starts an sshd whose own files are in dir.
func StartSSHD(dir string) (*SSHD, error) {
	if err := Need("sshd", "ssh", "ssh-keygen"); err != nil {
		return nil, err
	}
	program, err := find("sshd")
	if err != nil {
		return nil, err
	}
	who, err := user.Current()
	if err != nil {
		return nil, fmt.Errorf("configuring sshd: %w", err)
	}
	s := &SSHD{
		server:       server{name: "sshd", dir: dir},
		User:         who.Username,
		IdentityFile: filepath.Join(dir, "client_key"),
		KnownHosts:   filepath.Join(dir, "known_hosts"),
	}
	if err := s.configure(); err != nil {
		return nil, fmt.Errorf("configuring sshd: %w", err)
	}
	s.command = func(port int) *exec.Cmd {
		return exec.Command(program, "-D", "-E", s.LogFile(), "-f", s.file("config"),
			"-p", fmt.Sprint(port))
	}
	if err := s.startAnywhere(); err != nil {
		return nil, err
	}
	return s, s.writeKnownHosts()
}

func (s *SSHD) configure() error {
	if os.Geteuid() == 0 {
		// Where sshd confines its unprivileged part: sshd(8), FILES.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(s.home(), 0o700); err != nil {
		return err
	}
	for _, key := range []string{s.hostKey(), s.IdentityFile} {
		if err := makeKey(key); err != nil {
			return err
		}
	}
	public, err := os.ReadFile(s.IdentityFile + ".pub")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file("authorized_keys"), public, 0o600); err != nil {
		return err
	}
	config := fmt.Sprintf(`ListenAddress 127.0.0.1
HostKey %q
AuthorizedKeysFile %q
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PermitUserRC no
SetEnv HOME=%q
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
MaxStartups 100
LogLevel VERBOSE
`, s.hostKey(), s.file("authorized_keys"), s.home())
	return os.WriteFile(s.file("config"), []byte(config), 0o600)
}

func (s *SSHD) hostKey() string { return s.file("host_key") }

// home is the home directory of a session. It is empty: what a login shell does
// in the user's own (bash(1) reads ~/.bashrc for sshd) is no part of a lab, and
// might not bear to be killed with the server.
func (s *SSHD) home() string { return s.file("home") }

func makeKey(file string) error {
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("making the key %q: %w: %s", file, err, out)
	}
	return nil
}

func (s *SSHD) writeKnownHosts() error {
	public, err := os.ReadFile(s.hostKey() + ".pub")
	if err != nil {
		return fmt.Errorf("configuring sshd: %w", err)
	}
	line := fmt.Sprintf("[127.0.0.1]:%d %s", s.port, public)
	return os.WriteFile(s.KnownHosts, []byte(line), 0o600)
}
