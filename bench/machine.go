package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is what the figures depend on, as lines of text. It has no names.
type machine []string

// here is the machine that this runs on, with the file system of dir.
func here(dir string) machine {
	meminfo, _ := os.ReadFile("/proc/meminfo")
	m := machine{
		fmt.Sprintf("%s, %.0f GiB of memory", count(runtime.NumCPU(), "core"), kib(string(meminfo), "MemTotal")/(1<<20)),
		fmt.Sprintf("Linux %s, %s", kernel(), fileSystem(dir)),
		runtime.Version(),
	}
	for _, argv := range [][]string{{"rsync", "--version"}, {"lsyncd", "--version"}, {"ssh", "-V"}} {
		if said, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err == nil {
			m = append(m, version(argv[0], said))
		}
	}
	return m
}

// kernel is the number of the release, without what its builder added.
func kernel() string {
	var u unix.Utsname
	_ = unix.Uname(&u) // never fails with a valid pointer
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return release
}

func fileSystem(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "unknown file system"
	}
	switch st.Type {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	}
	return fmt.Sprintf("file system %#x", st.Type)
}

// version is the first number in what a program says of itself.
func version(program string, said []byte) string {
	line, _, _ := bytes.Cut(said, []byte("\n"))
	for word := range strings.FieldsSeq(string(line)) {
		word = strings.TrimPrefix(strings.Trim(word, ","), "OpenSSH_")
		if word != "" && word[0] >= '0' && word[0] <= '9' {
			return program + " " + word
		}
	}
	return program
}
