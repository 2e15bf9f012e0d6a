package leak

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// files are the open descriptors and what they lead to: proc_pid_fd(5).
func files() map[int]string {
	open := map[int]string{}
	names, _ := os.ReadDir("/proc/self/fd")
	for _, name := range names {
		fd, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		// That of ReadDir itself is closed by now.
		if to, err := os.Readlink("/proc/self/fd/" + name.Name()); err == nil {
			open[fd] = to
		}
	}
	return open
}

// newFiles has a line for every descriptor that was not open at the beginning, or
// was of something else. The first three may be: who goes to the background leaves
// the terminal.
func (b *beginning) newFiles() []string {
	var lines []string
	open := files()
	for _, fd := range slices.Sorted(maps.Keys(open)) {
		if to := open[fd]; fd > 2 && b.files[fd] != to {
			lines = append(lines, fmt.Sprintf("descriptor %d %q%s", fd, to, withWatches(fd)))
		}
	}
	return lines
}

func withWatches(fd int) string {
	if n := Watches(fd); n > 0 {
		return fmt.Sprintf(" watches %d", n)
	}
	return ""
}

// Watches is how many an inotify descriptor has: proc_pid_fdinfo(5).
func Watches(fd int) int {
	info, _ := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	return strings.Count("\n"+string(info), "\ninotify ")
}

// Children are the processes that process pid has started and not waited for, also
// those that have ended: proc_pid_task_tid_children(5).
func Children(pid int) []int {
	var pids []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for word := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// newChildren has a line for every child that the program has started. One that is
// the same program again is the daemon in the background.
func (b *beginning) newChildren() []string {
	var lines []string
	self, _ := os.Readlink("/proc/self/exe")
	for _, pid := range Children(os.Getpid()) {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if slices.Contains(b.children, pid) || err == nil && exe == self {
			continue
		}
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		lines = append(lines, fmt.Sprintf("child %d %s, arguments %q", pid, state(pid), strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")))
	}
	return lines
}

// state is the name of a process's program and whether it runs: proc_pid_stat(5).
func state(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), " ")
	if i := strings.LastIndexByte(rest, ')'); i >= 0 && len(rest) > i+2 {
		return strconv.Quote(rest[:i+3])
	}
	return "ended"
}
