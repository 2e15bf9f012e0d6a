package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rest starts the programs on many directories and looks at what they use while
// nothing happens, and after a burst of files.
func (b *bench) rest() error {
	t := tree{b.files, b.dirs, 0}
	s, err := b.newSite(overDaemon, len(b.programs), t.fill)
	if err != nil {
		return err
	}
	defer s.close()
	var all []*session
	defer func() {
		for _, r := range all {
			r.stop()
		}
	}()
	for i, name := range b.programs {
		if name == lsyncd && !watchesFor(2*b.dirs) {
			fmt.Fprintln(b.progress, "# left out: lsyncd, for fs.inotify.max_user_watches is too low for two programs")
			continue
		}
		r, err := b.begin(name, s.part(i, i+1))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if d, ok := r.program.(*daemon); ok {
			all = append(all, r)
			r.add("memory when started", memory(d.cmd.Process.Pid, "VmRSS"), "MiB")
		}
	}
	b.beIdle(all)
	return b.flood(s, all)
}

// begin starts a program, and times until it has compared everything and a
// change from before has arrived.
func (b *bench) begin(name string, s *site) (*session, error) {
	label := fmt.Sprintf("%s directories, %s files", number(b.dirs), number(b.files))
	r, err := b.newSession(label, s, name, usualRsync)
	if err != nil {
		return nil, err
	}
	stamp := filepath.Join(r.own, "from before")
	if err := s.write(stamp, stamp); err != nil {
		return nil, err
	}
	took, err := r.until(startLimit, r.start, func(mirror string) bool { return has(filepath.Join(mirror, stamp), 0, stamp) })
	r.add("start", ms(took), "ms")
	if err != nil {
		r.stop()
	}
	return r, err
}

// beIdle waits until the programs have no processes running, and then looks at
// them all over the same time.
func (b *bench) beIdle(all []*session) {
	busy := func(r *session) bool { return len(below(r.pid())) > 0 }
	for _, r := range all {
		for deadline := time.Now().Add(b.quiet); busy(r) && time.Now().Before(deadline); {
			time.Sleep(100 * time.Millisecond)
		}
	}
	used := make([]time.Duration, len(all))
	for i, r := range all {
		used[i] = r.cpu()
	}
	time.Sleep(b.idle)
	for i, r := range all {
		r.add(fmt.Sprintf("CPU over %v at rest", b.idle), ms(r.cpu()-used[i]), "ms")
		r.add("memory at rest", memory(r.pid(), "VmRSS"), "MiB")
	}
}

// flood makes new files for all at once.
func (b *bench) flood(s *site, all []*session) error {
	n := burst{b.storm, 100}
	dir := "storm"
	if err := errors.Join(os.Mkdir(filepath.Join(s.source, dir), 0o755), n.make(filepath.Join(s.source, dir))); err != nil {
		return err
	}
	for _, r := range all {
		there := arrivedAll(n.files, func(i int) string { return filepath.Join(dir, n.file(i)) }, 1024)
		if err := r.await(arriveLimit, there); err != nil {
			fmt.Fprintf(b.progress, "# %s: after %s: %v\n", r.name, n, err)
		}
		r.add(fmt.Sprintf("memory after %s new files", number(n.files)), memory(r.pid(), "VmRSS"), "MiB")
		r.add("memory at most", memory(r.pid(), "VmHWM"), "MiB")
	}
	return nil
}

// pid is the process of a program that keeps running.
func (r *session) pid() int { return r.program.(*daemon).cmd.Process.Pid }

// watching are the programs that notice changes themselves.
func (b *bench) watching() []string {
	return slices.DeleteFunc(slices.Clone(b.programs), func(name string) bool { return name == plain })
}

// watchesFor is whether n watches can be had, with some left for others.
func watchesFor(n int) bool {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	limit, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return err == nil && n+n/10 < limit
}
