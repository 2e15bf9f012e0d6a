// Package packaging_test makes the packages and uses them as a machine would.
package packaging_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"inosyncd/internal/lab/labtest"
)

// version is what the packages are made as.
const version = "v1.2.3-rc1"

// dir is where the packages are, once made has been called; TestMain owns it.
var dir string

var made = sync.OnceValue(func() error { return build("..", dir, "TZ=UTC") })

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "packages"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// build runs packaging/build of the repository in root.
func build(root, out string, env ...string) error {
	cmd := exec.Command(filepath.Join(root, "packaging", "build"), out)
	cmd.Env = append(os.Environ(), "VERSION="+version, "COMMIT=c0ffee", "SOURCE_DATE_EPOCH=1767225600", "GOARCH=")
	cmd.Env = append(cmd.Env, env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("packaging/build: %w\n%s", err, text)
	}
	return nil
}

// packages returns the directory with the packages, the same for all tests.
func packages(t *testing.T) string {
	t.Helper()
	labtest.Need(t, "go", "gzip")
	// The first time this loads and compiles nfpm.
	nfpm := exec.Command("go", "tool", "-modfile=tools/nfpm/go.mod", "nfpm", "--version")
	nfpm.Dir = ".."
	if out, err := nfpm.CombinedOutput(); err != nil {
		t.Skipf("needs nfpm, which go tool cannot have: %v\n%s", err, out)
	}
	if err := made(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestReproducible makes the packages again, elsewhere, as another user might.
func TestReproducible(t *testing.T) {
	first := packages(t)
	labtest.Need(t, "rsync")
	copied, second := t.TempDir(), t.TempDir()
	command(t, "rsync", "-a", "--chmod=g+w", "--exclude=/.git", "--exclude=/dist", "../", copied)
	if err := build(copied, second, "TZ=Asia/Tokyo", "LC_ALL=C", "TMPDIR="+t.TempDir()); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(first, "*"))
	if err != nil || len(names) != 2 {
		t.Fatalf("packages: got %q, %v, want two", names, err)
	}
	for _, name := range names {
		again := filepath.Join(second, filepath.Base(name))
		if !bytes.Equal(read(t, name), read(t, again)) {
			t.Errorf("%s: two builds differ", filepath.Base(name))
		}
	}
}

// wanted are files that every package has.
var wanted = []string{
	"/etc/logrotate.d/inosyncd",
	"/usr/bin/inosyncd",
	"/usr/lib/systemd/system/inosyncd.service",
	"/usr/lib/systemd/system/inosyncd@.service",
	"/usr/share/bash-completion/completions/inosyncd",
	"/usr/share/doc/inosyncd/examples/quickstart.yaml",
	"/usr/share/man/man5/inosync.yaml.5.gz",
	"/usr/share/man/man8/inosyncd.8.gz",
}

// TestRPM has rpm check the package, install and remove it. Its scripts would
// run in the scratch root, where no shell is; TestDebian runs the same ones.
func TestRPM(t *testing.T) {
	file := one(t, packages(t), "*.rpm")
	labtest.Need(t, "rpm")
	command(t, "rpm", "-K", file)
	if got := command(t, "rpm", "-qp", "--queryformat", "%{VERSION} %{BUILDHOST}", file); got != "1.2.3~rc1 localhost" {
		t.Errorf("version and build host: got %q, want %q", got, "1.2.3~rc1 localhost")
	}
	if got := command(t, "rpm", "-qp", "--requires", file); !strings.Contains(got, "rsync >= 3.2.4\n") {
		t.Errorf("requirements: got %q, want rsync >= 3.2.4 among them", got)
	}
	listed := strings.Fields(command(t, "rpm", "-qpl", file))
	for _, name := range wanted {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is not in the package", name)
		}
	}
	if got := strings.Fields(command(t, "rpm", "-qpc", file)); !slices.Equal(got, []string{"/etc/logrotate.d/inosyncd"}) {
		t.Errorf("configuration files: got %q, want that of logrotate", got)
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root from here: rpm --root changes its root directory")
	}
	root := t.TempDir()
	command(t, "rpm", "--root", root, "-i", "--nodeps", "--noscripts", file)
	command(t, filepath.Join(root, "usr/bin/inosyncd"), "--version")
	command(t, "rpm", "--root", root, "-e", "--noscripts", "inosyncd")
	if _, err := os.Stat(filepath.Join(root, "usr/bin/inosyncd")); err == nil {
		t.Error("rpm -e: the program is still there")
	}
}

// one returns the file that matches.
func one(t *testing.T, in, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(in, pattern))
	if err != nil || len(names) != 1 {
		t.Fatalf("%s: got %q, %v, want one", pattern, names, err)
	}
	return names[0]
}

// command runs a program to its success and returns what it printed.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
