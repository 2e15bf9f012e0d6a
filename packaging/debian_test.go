package packaging_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/lab/labtest"
)

// TestDebian installs the package in a tree of its own, runs what is installed,
// removes and purges it.
func TestDebian(t *testing.T) {
	labtest.Need(t, "dpkg", "rsync")
	if os.Geteuid() != 0 {
		t.Skip("needs root: dpkg sets owners")
	}
	d := newDebian(t, "3.2.7-1")
	d.dpkg(t, "-i", one(t, packages(t), "*.deb"))
	for _, name := range wanted {
		if _, err := os.Stat(d.path(name)); err != nil {
			t.Errorf("installed: %v", err)
		}
	}
	program := d.path("/usr/bin/inosyncd")
	if got := command(t, program, "--version"); !strings.HasPrefix(got, "inosyncd "+version+"\n") {
		t.Errorf("--version: got %q, want %q", got, "inosyncd "+version)
	}
	if left, _ := filepath.Glob(d.path("/etc/systemd/system/*")); left != nil {
		t.Errorf("installed: %q is enabled, want nothing", left)
	}
	t.Run("as root", func(t *testing.T) { mirror(t, program, nil) })
	t.Run("as the user of the instances", func(t *testing.T) {
		mirror(t, program, &syscall.SysProcAttr{
			Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
			AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH, unix.CAP_LEASE},
		})
	})

	// What systemctl enable makes is the administrator's until the purge.
	wants := d.path("/etc/systemd/system/multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{"inosyncd.service", "inosyncd@www.service", "other.service"} {
		if err := os.Symlink("/usr/lib/systemd/system/"+unit, filepath.Join(wants, unit)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, d.path("/etc/inosync.yaml"), "wpath: /srv\n", 0o644)
	d.dpkg(t, "-r", "inosyncd")
	d.want(t, "removed", "/etc/logrotate.d/inosyncd", "/etc/inosync.yaml",
		"/etc/systemd/system/multi-user.target.wants/inosyncd.service",
		"/etc/systemd/system/multi-user.target.wants/inosyncd@www.service",
		"/etc/systemd/system/multi-user.target.wants/other.service")
	d.dpkg(t, "-P", "inosyncd")
	d.want(t, "purged", "/etc/inosync.yaml", "/etc/systemd/system/multi-user.target.wants/other.service")
}

// TestDebianNeedsRsync wants an rsync that is too old to be refused.
func TestDebianNeedsRsync(t *testing.T) {
	labtest.Need(t, "dpkg")
	if os.Geteuid() != 0 {
		t.Skip("needs root: dpkg sets owners")
	}
	d := newDebian(t, "3.2.3-4")
	out, err := d.command(t, "-i", one(t, packages(t), "*.deb")).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("inosyncd depends on rsync (>= 3.2.4)")) {
		t.Errorf("dpkg -i with rsync 3.2.3: got %v and\n%swant it refused", err, out)
	}
}

// debian is the tree of a system without systemd running in it.
type debian struct{ root string }

// newDebian makes a system that has rsync in that version and nothing else.
func newDebian(t *testing.T, rsync string) debian {
	d := debian{shared(t)}
	for _, dir := range []string{"/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/log", "/etc"} {
		if err := os.MkdirAll(d.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, d.path("/var/lib/dpkg/status"), "Package: rsync\nStatus: install ok installed\nVersion: "+rsync+
		"\nArchitecture: amd64\nMaintainer: none <none@localhost>\nDescription: none\n", 0o644)
	write(t, d.path("/var/lib/dpkg/info/rsync.list"), "", 0o644)
	return d
}

func (d debian) path(name string) string { return filepath.Join(d.root, name) }

// command is dpkg on that system: the scripts run outside and are told of it.
func (d debian) command(t *testing.T, args ...string) *exec.Cmd {
	args = append([]string{"--root=" + d.root, "--force-script-chrootless", "--path-include=/usr/share/*"}, args...)
	cmd := exec.CommandContext(t.Context(), "dpkg", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PATH="+os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	return cmd
}

func (d debian) dpkg(t *testing.T, args ...string) {
	t.Helper()
	if out, err := d.command(t, args...).CombinedOutput(); err != nil {
		t.Fatalf("dpkg %q: %v\n%s", args, err, out)
	}
}

// want compares what is there with names, but for what belongs to dpkg and the
// tables of users, which stay.
func (d debian) want(t *testing.T, when string, names ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, d.root)
		switch {
		case err != nil:
			return err
		case name == "/var/lib/dpkg" || name == "/var/log":
			return fs.SkipDir
		case e.IsDir() && name != "/var/lib/inosyncd" || slices.Contains(userTables, name):
			return nil
		}
		if name != "/var/lib/inosyncd" || when != "removed" { // keys are in it
			got = append(got, name)
		}
		return nil
	})
	slices.Sort(names)
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("%s: got %q, %v, want %q", when, got, err, names)
	}
}

var userTables = []string{"/etc/.pwd.lock", "/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow"}

// mirror has the program mirror a source that only root can read, first all of
// it and then a change.
func mirror(t *testing.T, program string, attr *syscall.SysProcAttr) {
	dir := shared(t)
	rsync, err := exec.LookPath("rsync")
	if err != nil {
		t.Fatal(err)
	}
	src, dst, run := filepath.Join(dir, "src"), filepath.Join(dir, "dst"), filepath.Join(dir, "run")
	if err := errors.Join(os.Mkdir(src, 0o700), os.Mkdir(dst, 0o755), os.Mkdir(run, 0o755)); err != nil {
		t.Fatal(err)
	}
	if attr != nil {
		id := int(attr.Credential.Uid)
		if err := errors.Join(os.Chown(dst, id, id), os.Chown(run, id, id)); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "inosync.yaml")
	socket := filepath.Join(run, "control.sock")
	text := fmt.Sprintf("wpath: %s\nrnodes: [%s]\nrsync: %s\nedelay: 0\n", src, dst, rsync)
	if attr == nil { // otherwise it is found by the runtime directory
		text += "control: " + socket + "\n"
	}
	write(t, conf, text, 0o644)
	write(t, filepath.Join(src, "first"), "first", 0o600)
	command(t, program, "check", "-c", conf)

	cmd := exec.Command(program, "-c", conf)
	var log bytes.Buffer
	cmd.Stderr, cmd.SysProcAttr = &log, attr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "RUNTIME_DIRECTORY=" + run} // as in the unit
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("needs the capabilities of the unit: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 128+int(syscall.SIGTERM) {
			t.Errorf("exit code: got %d, want %d", code, 128+int(syscall.SIGTERM))
		}
		if t.Failed() {
			t.Logf("log:\n%s", &log)
		}
	})
	arrives := func(name, want string) {
		t.Helper()
		labtest.Eventually(t, func() error {
			got, err := os.ReadFile(filepath.Join(dst, name))
			if err == nil && string(got) != want {
				err = fmt.Errorf("%s: got %q, want %q", name, got, want)
			}
			return err
		})
	}
	arrives("first", "first")
	write(t, filepath.Join(src, "second"), "second", 0o600)
	arrives("second", "second")
	if st, err := os.Stat(socket); err != nil || st.Mode().Type() != fs.ModeSocket {
		t.Errorf("control socket: got %v, %v, want it to be there", st, err)
	}
}

// shared is a directory that any user can enter.
func shared(t *testing.T) string {
	dir := labtest.Dir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
