package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is what proc_pid_stat(5) says of one: its parent, and the processor
// time of it and of its children that it has waited for.
type process struct {
	pid, parent int
	cpu         time.Duration
}

func readProcess(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// The second field is the program's name in parentheses: any bytes.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	p := process{pid: pid}
	p.parent, _ = strconv.Atoi(fields[1])
	for _, f := range fields[11:15] {
		ticks, _ := strconv.ParseInt(f, 10, 64)
		p.cpu += time.Duration(ticks) * 10 * time.Millisecond // _SC_CLK_TCK is 100
	}
	return p, true
}

// below returns the processes below pid. One that left its parent, as ssh does
// for a connection that it keeps, is not among them.
func below(pid int) []process {
	kids := make(map[int][]process)
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		id, _ := strconv.Atoi(filepath.Base(dir))
		if p, ok := readProcess(id); ok {
			kids[p.parent] = append(kids[p.parent], p)
		}
	}
	all := kids[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, kids[all[i].pid]...)
	}
	return all
}

// treeCPU is the processor time of a process and of all below it.
func treeCPU(pid int) time.Duration {
	p, _ := readProcess(pid)
	for _, kid := range below(pid) {
		p.cpu += kid.cpu
	}
	return p.cpu
}

// memory reads a line of /proc/PID/status, in MiB: VmRSS is what is resident,
// VmHWM the most that was.
func memory(pid int, key string) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return kib(string(status), key) / 1024
}

// kib is the value of a key in a file such as /proc/meminfo.
func kib(text, key string) float64 {
	_, rest, _ := strings.Cut(text, key+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseFloat(fields[0], 64)
	return n
}
