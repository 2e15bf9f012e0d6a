package leak_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"inosyncd/internal/leak"
)

// program makes the test binary one of the programs.
const program = "LEAK_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if name := os.Getenv(program); name != "" {
		os.Exit(leak.Look(func() int {
			if err := programs[name].run(); err != nil {
				panic(err)
			}
			return 143
		}))
	}
	os.Exit(m.Run())
}

// programs leave something behind, or nothing; says are regular expressions, one for
// each line of what is said of them.
var programs = map[string]struct {
	run  func() error
	says []string
}{
	"careful": {tidy, nil},
	"careless": {
		func() error { return errors.Join(tidy(), goroutines(), file(), watches(), children()) },
		[]string{
			`goroutine \d+ in state [cs].* inosyncd/internal/leak_test\.goroutines.*/leak_test\.go:\d+.*`,
			`goroutine \d+ in state [cs].* inosyncd/internal/leak_test\.goroutines.*/leak_test\.go:\d+.*`,
			`descriptor \d+ "/dev/null"`,
			`descriptor \d+ "anon_inode:inotify" watches 2`,
			`child \d+ "\(sleep\) [RS]", arguments \["sleep" "1000"\]`,
			`child \d+ "\(true\) Z", arguments \[""\]`,
		},
	},
}

// tidy gives everything back, though its goroutine may end a moment later.
func tidy() error {
	done := make(chan struct{})
	go func() { close(done) }()
	<-done
	f, err := os.Open(os.DevNull)
	return errors.Join(err, f.Close(), exec.Command("true").Run())
}

func goroutines() error {
	never := make(chan struct{})
	go func() { <-never }()
	go func() { select {} }()
	return nil
}

// file forgets a file, which a collection of garbage would close.
func file() error {
	_, err := os.Open(os.DevNull)
	return err
}

func watches() error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	for _, dir := range []string{"/", os.TempDir()} {
		if err == nil {
			_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE)
		}
	}
	return err
}

// children leaves one that runs and one that has ended.
func children() error {
	runs, ended := exec.Command("sleep", "1000"), exec.Command("true")
	if err := errors.Join(runs.Start(), ended.Start()); err != nil {
		return err
	}
	return errors.Join(runs.Process.Release(), ended.Process.Release())
}

func TestLook(t *testing.T) {
	for name, p := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), program+"="+name, leak.Dir+"="+dir, "GORACE=atexit_sleep_ms=0")
			cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
			var said strings.Builder
			cmd.Stderr = &said
			_ = cmd.Run()
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // what is left

			code, want := 143, ""
			for _, line := range p.says {
				code, want = leak.ExitCode, want+leak.Mark+line+"\n"
			}
			if got := cmd.ProcessState.ExitCode(); got != code || !regexp.MustCompile("^"+want+"$").MatchString(said.String()) {
				t.Errorf("got exit code %d and\n%swant %d and\n%s", got, &said, code, want)
			}
			if got := written(t, dir); got != said.String() {
				t.Errorf("in the directory: got %q, want what is said", got)
			}
		})
	}
}

// written is what the files in dir hold.
func written(t *testing.T, dir string) string {
	t.Helper()
	files, _ := filepath.Glob(dir + "/*")
	all := ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	return all
}
