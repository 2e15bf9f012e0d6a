package e2e_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"inosyncd/internal/lab"
	"inosyncd/internal/leak"
)

// leaveLimit is how long what a daemon has started may be there after it. It is less
// than the two minutes for which an ssh that nobody ends keeps its connection.
const leaveLimit = time.Minute

// left is an error if a daemon that has ended has left something: what it has found
// itself, or a process with a path of its own, or of the site, in its arguments. The
// latter can be another daemon's while one runs.
func (s *site) left(d *lab.Inosyncd, code int) error {
	if lines := leaks(d.Log()); lines != "" || code == leak.ExitCode {
		return fmt.Errorf("it has left something:\n%s", lines)
	}
	var paths []string
	if !slices.ContainsFunc(s.daemons, running) {
		paths = append(paths, s.dir+"/")
	}
	if code == 128+int(syscall.SIGTERM) { // after another end ssh keeps a shared connection for a while
		paths = append(paths, fmt.Sprintf("/inosyncd-%d-", d.PID())) // see makeSocketDir
	}
	return gone(paths...)
}

// running reports whether a daemon has not ended.
func running(d *lab.Inosyncd) bool {
	_, err := d.Wait(0)
	return err != nil
}

// leaks are the lines of a daemon about what it has left.
func leaks(log string) string {
	var found strings.Builder
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, leak.Mark) {
			found.WriteString(line)
		}
	}
	return found.String()
}

// gone waits until no process has one of the paths in its arguments.
func gone(paths ...string) error {
	return lab.Eventually(leaveLimit, func() error {
		for _, path := range paths {
			for _, pid := range withArgument(path) {
				return fmt.Errorf("process %d is left: %q", pid, strings.TrimRight(proc(pid, "cmdline"), "\n"))
			}
		}
		return nil
	})
}

// withArgument are the processes that have the text in their arguments.
func withArgument(text string) []int {
	var found []int
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && strings.Contains(proc(pid, "cmdline"), text) {
			found = append(found, pid)
		}
	}
	return found
}
