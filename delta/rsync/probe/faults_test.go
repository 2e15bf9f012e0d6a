package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/delta/rsync/nodetest"
	"inosyncd/internal/lab"
	"inosyncd/internal/lab/labtest"
)

// What is wrong is told in the words, and with the cure, that a push has.
func TestProbeDaemonFaults(t *testing.T) {
	t.Parallel()
	ok := t.TempDir()
	d := labtest.Daemon(t,
		lab.Module{Name: "ro", Path: t.TempDir(), ReadOnly: true},
		lab.Module{Name: "auth", Path: t.TempDir(), Users: map[string]string{"u": "secret"}},
		lab.Module{Name: "nopath", Path: "/nonexistent/path"},
		lab.Module{Name: "ok", Path: ok})
	refused := labtest.Refused(t)
	silent := labtest.Silent(t)
	none := func(*node.Options) {}
	for _, tt := range []struct {
		name, module string
		change       func(*node.Options)
		want         string
	}{
		{"password", "auth", nodetest.PasswordFile(t, "secret", 0o600), "ok login: the rsync daemon lets in"},
		{"wrong password", "auth", nodetest.PasswordFile(t, "wrong", 0o600), "fault login: rsync: @ERROR: auth failed"},
		{"open password file", "auth", nodetest.PasswordFile(t, "secret", 0o644), "fault login: the password file"},
		{"module gone", "gone", none, "fault login: rsync: @ERROR: Unknown module"},
		{"read only", "ro", none, "fault rsync: rsync: ERROR: module is read only (exit code 1) (set read only = no"},
		{"no path", "nopath", none, "fault login: rsync: @ERROR: ch"},
		{"refused", "ok", func(o *node.Options) { o.Address.Port = refused.Port() }, "fault login: rsync: [sender] failed to connect"},
		{"silent", "ok", func(o *node.Options) { o.Timeout, o.Address.Port = time.Second, silent.Port() }, "fault login: the node is silent: "},
		{"no program", "ok", func(o *node.Options) { o.Program = "/nonexistent" }, "fault rsync here: "},
		{"no attributes", "ok", nodetest.Wrap(t, `case "$*" in *--acls*) echo "ACLs are not supported on this server"; exit 4;; esac; exec RSYNC`), "fault rsync: rsync: ACLs are not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := node.Address{Kind: node.Daemon, Host: "127.0.0.1", Port: d.Port(), Path: tt.module + "/"}
			n := newTarget(t, "local", func(o *node.Options) { o.Address, o.ACLs = address, tt.name == "no attributes" }, tt.change)
			f := n.probe(t.Context())
			f.want(t, tt.want)
			if strings.Contains(f.String(), "secret") && !strings.Contains(f.String(), "secrets file") {
				t.Errorf("Look: it tells the password:\n%s", f)
			}
			untouched(t, ok)
		})
	}
}

func TestProbeSSHFaults(t *testing.T) {
	t.Parallel()
	p := nodetest.New(t, "ssh")
	other := labtest.SSHD(t)
	silent := labtest.Silent(t)
	for name, tt := range map[string]struct {
		change func(*node.Options)
		want   string
	}{
		"key refused":      {func(o *node.Options) { o.SSH.IdentityFile = "/nonexistent" }, "fault login: "},
		"unknown host key": {func(o *node.Options) { o.SSH.KnownHosts = "/dev/null" }, "fault login: rsync: Host key verification failed"},
		"other host key":   {func(o *node.Options) { o.SSH.KnownHosts = keyOfAnother(t, other, o.SSH.Port) }, "fault login: rsync: @"},
		"no rsync there":   {func(o *node.Options) { o.Args = []string{"--rsync-path=/nonexistent/rsync"} }, "fault rsync: "},
		"silent":           {func(o *node.Options) { o.SSH.Port, o.Timeout = silent.Port(), time.Second }, "fault login: the node is silent: "},
		"rrsync refuses":   {func(o *node.Options) { o.Args = []string{"--rsync-path=echo invalid rsync-command >&2; false"} }, "fault rsync: rsync: invalid rsync-command"},
		"path in words":    {func(o *node.Options) { o.Address.Path = strings.TrimSuffix(o.Address.Path, "/") + " b/" }, "note space: unknown: a shell at the node"},
	} {
		t.Run(name, func(t *testing.T) {
			n := targetAt(t, p, func(o *node.Options) { o.SSH.Options = []string{"IdentitiesOnly=yes", "IdentityAgent=none"} }, tt.change)
			n.do(os.MkdirAll(n.Address.Path, 0o755))
			n.probe(t.Context()).want(t, tt.want)
			untouched(t, n.Address.Path)
		})
	}
}

// keyOfAnother is a file that gives the key of an sshd to another's port.
func keyOfAnother(t *testing.T, s *lab.SSHD, port int) string {
	t.Helper()
	text, err := os.ReadFile(s.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(string(text), " ")
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, fmt.Appendf(nil, "[127.0.0.1]:%d %s", port, key), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The rsync at the other end of ssh is asked for its version; a login that runs
// nothing else is not, and then the protocol tells.
func TestProbeVersionOverSSH(t *testing.T) {
	t.Parallel()
	n := newTarget(t, "ssh", func(o *node.Options) {
		old := filepath.Join(t.TempDir(), "rsync")
		nodetest.Program(t, old, `case "$*" in --version) echo 'rsync  version 3.1.3  protocol version 31';; *) exec rsync "$@";; esac`)
		o.Args = []string{"--rsync-path=" + old}
	})
	n.probe(t.Context()).want(t, "warning rsync: 3.1.3; versions before 3.4.3 have known security faults")

	n = newTarget(t, "ssh")
	keys := filepath.Join(filepath.Dir(n.SSH.IdentityFile), "sshd.authorized_keys")
	text, err := os.ReadFile(keys)
	n.do(err)
	forced := filepath.Join(labtest.Dir(t), "forced")
	nodetest.Program(t, forced, `case "$SSH_ORIGINAL_COMMAND" in 'rsync --server '*) exec $SSH_ORIGINAL_COMMAND;; esac; echo only rsync >&2; exit 1`)
	n.do(os.WriteFile(keys, fmt.Appendf(nil, "command=%q %s", forced, text), 0o600))
	f := n.probe(t.Context())
	f.want(t, "ok writing: ")
	f.want(t, "note space: unknown: the login runs no command but rsync (only rsync)")
	if !strings.Contains(f.String(), " rsync: 3.4.0 or newer, or patched (exact version unknown: the login runs no") && !strings.Contains(f.String(), " rsync: older than 3.4.0") {
		t.Errorf("Look: got\n%swant a version by protocol", f)
	}
}

func TestProbeFullNode(t *testing.T) {
	t.Parallel()
	dir := labtest.Dir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,nr_inodes=100"); err != nil {
		t.Skipf("needs to be root, to mount: %v", err)
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	n := newTarget(t, "local", func(o *node.Options) { o.Address.Path = dir + "/" })
	n.probe(t.Context()).want(t, "ok space: free: 64.0 KiB of 64.0 KiB; inodes: ")
	n.Address.Path = dir + "/new/"
	f := n.look(t.Context(), Tree{Bytes: 1 << 20, Entries: 5})
	f.want(t, "warning space: free: 64.0 KiB of 64.0 KiB; inodes: 99 of 100: the source has 1.0 MiB in 5 entries (make room")
	n.Address.Path = dir + "/"
	n.do(os.WriteFile(dir+"/f", make([]byte, 64<<10), 0o600))
	f = n.probe(t.Context())
	f.want(t, "fault writing: rsync: ")
	f.want(t, "fault space: free: 0 B of 64.0 KiB")
	if !strings.Contains(f.String(), "No space left on device") || !strings.Contains(f.String(), "(make room on the node)") {
		t.Errorf("Look: got\n%swant that there is no space", f)
	}
	untouched(t, dir, "f")
}

// An account that may not write there is found out, as is one that is not
// root's where owners are to be copied.
func TestProbeAsAnother(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs to be root, to be another")
	}
	n := newTarget(t, "local", func(o *node.Options) { o.User = "nobody" })
	for dir := n.dst; dir != "/"; dir = filepath.Dir(dir) {
		st, err := os.Stat(dir)
		n.do(err)
		if st.Mode()&0o005 == 0 && strings.HasPrefix(n.dst, dir) {
			n.do(os.Chmod(dir, 0o755))
		}
	}
	f := n.probe(t.Context())
	f.want(t, "fault writing: rsync: ")
	f.want(t, "warning owner: the login there is not root")
	untouched(t, n.dst)
}
