package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// member is a process, told from a later one of the same number by the time
// at which it was started.
type member struct {
	pid     int
	started string // field 22 of /proc/PID/stat, proc_pid_stat(5)
}

// stat reads a process's state, parent and start time.
func stat(pid int) (state string, parent int, m member, ok bool) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, member{}, false
	}
	// The second field is the program's name in parentheses: any bytes.
	fields := strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" {
		return "", 0, member{}, false
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, member{pid, fields[19]}, err == nil
}

// there reports whether the process has not ended.
func (m member) there() bool {
	_, _, now, ok := stat(m.pid)
	return ok && now == m
}

// descendants are the processes below pid. A connection's process leaves the
// group and the session of the server that it belongs to, so neither names
// them all.
func descendants(pid int) []member {
	kids := make(map[int][]member)
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		id, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if _, parent, m, ok := stat(id); ok {
			kids[parent] = append(kids[parent], m)
		}
	}
	all := kids[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, kids[all[i].pid]...)
	}
	return all
}

// freeze stops a process and all below it, and returns the latter: what is
// stopped starts no more.
func freeze(pid int) []member {
	var below []member
	_, _, m, ok := stat(pid)
	for fresh := []member{m}; ok && len(fresh) > 0; below = append(below, fresh...) {
		for _, m := range fresh {
			m.suspend()
		}
		fresh = slices.DeleteFunc(descendants(pid), func(m member) bool { return slices.Contains(below, m) })
	}
	return below
}

// suspend sends SIGSTOP and waits until that has had its effect: what goes on in
// the kernel, as a fork does, ends first.
func (m member) suspend() {
	if m.there() {
		_ = syscall.Kill(m.pid, syscall.SIGSTOP)
	}
	_ = Eventually(time.Minute, func() error {
		if state, _, now, ok := stat(m.pid); ok && now == m && state != "T" {
			return fmt.Errorf("stopping %v: it is in state %s", m, state)
		}
		return nil
	})
}

// kill ends those of the processes that are still there and waits until they
// are gone. They are not our children, so all that can be done is to look. Who is
// above others comes first and ends last: the end of a group's leader would have
// the kernel wake those of it that are stopped, setpgid(2).
func kill(members []member) {
	for _, m := range slices.Backward(members) {
		if m.there() {
			_ = syscall.Kill(m.pid, syscall.SIGKILL)
		}
	}
	_ = Eventually(time.Minute, func() error {
		if slices.ContainsFunc(members, member.there) {
			return fmt.Errorf("killing %v: still there", members)
		}
		return nil
	})
}

// listens reports whether process pid itself listens on 127.0.0.1:port. To
// connect would tell less, for the listener could be another, and would use up
// one of a server's connections.
func listens(pid, port int) bool {
	socket, ok := listener(port)
	if !ok {
		return false
	}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	return slices.ContainsFunc(fds, func(fd string) bool {
		to, err := os.Readlink(fd)
		return err == nil && to == socket
	})
}

// listener is the socket that listens on 127.0.0.1:port, as the links in
// /proc/PID/fd name it.
func listener(port int) (string, bool) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return "", false
	}
	defer f.Close()
	// The address is in the machine's byte order and the state is TCP_LISTEN.
	local := []string{fmt.Sprintf("0100007F:%04X", port), fmt.Sprintf("7F000001:%04X", port)}
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) > 9 && slices.Contains(local, fields[1]) && fields[3] == "0A" {
			return "socket:[" + fields[9] + "]", true
		}
	}
	return "", false
}
