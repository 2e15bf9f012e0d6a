package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// program is what is measured: it makes the nodes of a site equal to the
// source.
type program interface {
	start() error       // returns when it has been started
	changed() error     // is called after every change
	cpu() time.Duration // used so far, by all its processes
	stop()
}

// open makes the program of a name; what it writes is in dir, and rsync is the
// rsync that it runs.
func (b *bench) open(name, dir, rsync string, s *site) program {
	switch name {
	case ours:
		return &daemon{dir: dir, argv: []string{b.binary, "-c"}, conf: inosyncdConf(dir, rsync, s, b.pace)}
	case eager:
		return &daemon{dir: dir, argv: []string{b.binary, "-c"}, conf: inosyncdConf(dir, rsync, s, 5)}
	case lsyncd:
		return &daemon{dir: dir, argv: []string{"lsyncd"}, conf: lsyncdConf(dir, rsync, s, 0)}
	case calm:
		return &daemon{dir: dir, argv: []string{"lsyncd"}, conf: lsyncdConf(dir, rsync, s, 15)}
	default:
		return &plainRsync{site: s}
	}
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

func (d *daemon) cpu() time.Duration { return treeCPU(d.cmd.Process.Pid) }

// stopLimit is how long a program may take to end: inosyncd pushes for up to 10 s.
const stopLimit = 12 * time.Second

func (d *daemon) stop() {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(stopLimit):
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.done
	}
}

// plainRsync compares the whole tree, with every node at the same time, when it
// is told of a change: the least that can be done without knowing what changed.
type plainRsync struct {
	site *site

	mu   sync.Mutex // guards used
	used time.Duration
}

func (p *plainRsync) start() error { return nil }

func (p *plainRsync) changed() error {
	var wg sync.WaitGroup
	errs := make(chan error, len(p.site.nodes))
	for _, n := range p.site.nodes {
		cmd := exec.Command("rsync", rsyncArgs(p.site, n)...)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				errs <- fmt.Errorf("rsync to %s: %w: %s", n.target, err, out)
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func (p *plainRsync) cpu() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

func (p *plainRsync) stop() {}
