package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// program is what is measured: it makes the mirrors of a site equal to the
// source.
type program interface {
	start() error       // returns when it has been started
	changed() error     // is called after every change
	cpu() time.Duration // used so far, with that of ended children
	stop()
}

// excludes are the same in every program.
var excludes = []string{"*.tmp", "/cache/"}

// open makes the program of a name; what it writes is in dir, and rsync is the
// rsync that it runs.
func (b *bench) open(name, dir, rsync string, s *site) program {
	switch name {
	case "inosyncd":
		return &daemon{dir: dir, argv: []string{b.binary, "-c"}, conf: inosyncdConf(dir, rsync, s)}
	case "lsyncd":
		return &daemon{dir: dir, argv: []string{"lsyncd"}, conf: lsyncdConf(dir, rsync, s)}
	default:
		return &plainRsync{site: s}
	}
}

func inosyncdConf(dir, rsync string, s *site) string {
	return fmt.Sprintf(`wpath: %q
rnodes: [%s]
rexcludes: [%s]
edelay: 0
schedule: ""
rsync: %q
control: %q
`, s.source, quoted(s.urls), quoted(excludes), rsync, filepath.Join(dir, "control"))
}

func lsyncdConf(dir, rsync string, s *site) string {
	var conf strings.Builder
	fmt.Fprintf(&conf, "settings{nodaemon = true, maxProcesses = %d, logfile = %q}\n",
		2*len(s.urls), filepath.Join(dir, "lsyncd.log"))
	for _, url := range s.urls {
		fmt.Fprintf(&conf, "sync{default.rsync, source = %q, target = %q, delay = 0, exclude = {%s}, "+
			"rsync = {archive = true, binary = %q}}\n", s.source, url, quoted(excludes), rsync)
	}
	return conf.String()
}

func quoted(list []string) string {
	var q []string
	for _, s := range list {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return strings.Join(q, ", ")
}

// daemon is a program that notices changes itself. Its last argument is its
// configuration.
type daemon struct {
	dir  string
	argv []string
	conf string

	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has been waited for
}

func (d *daemon) start() error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	conf := filepath.Join(d.dir, "conf")
	if err := os.WriteFile(conf, []byte(d.conf), 0o644); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd = exec.Command(d.argv[0], append(d.argv[1:], conf)...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.done = make(chan struct{})
	go func() { _ = d.cmd.Wait(); close(d.done) }()
	return nil
}

func (d *daemon) changed() error { return nil }

func (d *daemon) cpu() time.Duration { return cpuOf(d.cmd.Process.Pid) }

func (d *daemon) stop() {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.done
	}
}

// plainRsync compares the whole tree, with every mirror at the same time, when
// it is told of a change: the least that can be done without knowing what
// changed.
type plainRsync struct{ site *site }

func (p *plainRsync) start() error { return nil }

func (p *plainRsync) changed() error {
	var wg sync.WaitGroup
	errs := make(chan error, len(p.site.urls))
	for _, url := range p.site.urls {
		args := []string{"-a", "--delete"}
		for _, x := range excludes {
			args = append(args, "--exclude="+x)
		}
		cmd := exec.Command("rsync", append(args, p.site.source+"/", url)...)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				errs <- fmt.Errorf("rsync to %s: %w: %s", url, err, out)
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func (p *plainRsync) cpu() time.Duration { return 0 }

func (p *plainRsync) stop() {}
