// Package examples_test tries the examples as they would be used.
package examples_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"inosyncd/config"
	"inosyncd/internal/lab/labtest"
)

// TestConfigurations loads every configuration, and wants no warning either.
func TestConfigurations(t *testing.T) {
	names, err := filepath.Glob("*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("Glob(*.yaml): got %q, %v, want files", names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "d.password"), "secret\n", 0o600)
			text := strings.ReplaceAll(read(t, name), "/etc/inosync/", dir+"/")
			file := filepath.Join(dir, name)
			write(t, file, text, 0o644)
			cfg, err := config.Load(file)
			if err != nil {
				t.Fatalf("Load(%s): %v", name, err)
			}
			if len(cfg.Warnings) > 0 {
				t.Errorf("Load(%s): got warnings %v, want none", name, cfg.Warnings)
			}
			if len(cfg.Mirrors) == 0 {
				t.Errorf("Load(%s): got no mirrors", name)
			}
		})
	}
}

// TestUnits has systemd read the units, and holds their exposure against what the
// README promises.
func TestUnits(t *testing.T) {
	analyze := program(t, "systemd-analyze", "systemd")
	// Files of a template have to be read as one of its instances.
	for name, as := range map[string]string{
		"inosyncd.service":  "inosyncd.service",
		"inosyncd@.service": "inosyncd@www.service",
	} {
		t.Run(name, func(t *testing.T) {
			text := read(t, name)
			const start = "ExecStart=/usr/bin/inosyncd -c "
			if !strings.Contains(text, start) {
				t.Fatalf("%s: no line %q", name, start)
			}
			// verify wants the program to be there; the test does not.
			unit := filepath.Join(t.TempDir(), as)
			write(t, unit, strings.Replace(text, start, "ExecStart=/bin/true ", 1), 0o644)
			for _, args := range [][]string{
				{"verify", "--man=no", "--recursive-errors=no", unit},
				{"security", "--offline=true", "--no-pager", "--threshold=25", unit},
			} {
				out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
				if bytes.Contains(out, []byte("unrecognized option")) {
					t.Skipf("systemd-analyze %s: needs systemd 250", args[0])
				}
				if err != nil || args[0] == "verify" && len(out) > 0 {
					t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
				}
			}
		})
	}
}

// TestRsyncd runs an rsync daemon on the example and pushes to it: with the
// password of the example, and with a wrong one.
func TestRsyncd(t *testing.T) {
	rsync := program(t, "rsync", "rsync")
	if os.Geteuid() != 0 {
		t.Skip("needs root: the module changes its root directory")
	}
	dir := t.TempDir()
	mirror := filepath.Join(dir, "www")
	if err := os.Mkdir(mirror, 0o755); err != nil {
		t.Fatal(err)
	}
	secrets := filepath.Join(dir, "secrets")
	write(t, secrets, read(t, "rsyncd.secrets.example"), 0o600)
	conf := strings.NewReplacer(
		"path = /srv/www", "path = "+mirror,
		"/etc/rsyncd.secrets", secrets,
		"192.0.2.10 2001:db8::10", "127.0.0.1",
	).Replace(read(t, "rsyncd.conf"))
	conf = "lock file = " + filepath.Join(dir, "lock") + "\n" + conf
	write(t, filepath.Join(dir, "conf"), conf, 0o644)
	port := serve(t, rsync, filepath.Join(dir, "conf"))

	src := filepath.Join(dir, "src")
	if err := os.Mkdir(src, 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(src, "file"), "content", 0o640)
	if err := os.Symlink("/file", filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	if out, err := push(t, rsync, src, port, "wrong"); err == nil {
		t.Errorf("push with a wrong password: succeeded\n%s", out)
	}
	if out, err := push(t, rsync, src, port, "replace-this-by-a-long-random-word"); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
	if got := read(t, filepath.Join(mirror, "file")); got != "content" {
		t.Errorf("file on the mirror: got %q, want %q", got, "content")
	}
	if got, err := os.Readlink(filepath.Join(mirror, "link")); got != "/file" {
		t.Errorf("link on the mirror: got %q, %v, want %q", got, err, "/file")
	}
}

// serve starts an rsync daemon on a free port and returns when it listens.
func serve(t *testing.T, rsync, conf string) string {
	t.Helper()
	for range 5 {
		probe, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(probe.Addr().String())
		_ = probe.Close() // and now somebody else can take it: hence the loop
		var log bytes.Buffer
		cmd := exec.CommandContext(t.Context(), rsync, "--daemon", "--no-detach",
			"--config="+conf, "--address=127.0.0.1", "--port="+port, "--log-file=/dev/stderr")
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		if listens(ended, port) {
			t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
			return port
		}
		_ = cmd.Process.Kill()
		<-ended
		t.Logf("rsync --daemon on port %s ended\n%s", port, &log)
	}
	t.Fatal("rsync --daemon: does not start")
	return ""
}

func listens(ended <-chan struct{}, port string) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(labtest.Limit); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp4", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-tick.C:
		}
	}
	return false
}

func push(t *testing.T, rsync, src, port, password string) ([]byte, error) {
	cmd := exec.CommandContext(t.Context(), rsync, "-a", src+"/", fmt.Sprintf("rsync://push@127.0.0.1:%s/www/", port))
	cmd.Env = append(os.Environ(), "RSYNC_PASSWORD="+password)
	return cmd.CombinedOutput()
}

func program(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("needs %s (Debian package %s)", name, pkg)
	}
	return path
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
