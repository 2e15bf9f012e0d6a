package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// endLimit is how long the daemon may take to end after SIGTERM. It gives itself
// less, however its nodes are: 10 s for what is pending, and seconds for what runs.
const endLimit = 3 * time.Minute

// InosyncdOptions say how the daemon is run.
type InosyncdOptions struct {
	Binary string
	Dir    string   // for the configuration file, and the working directory
	Config string   // configuration; its log_format has to be json for the lines to be read
	Args   []string // after -c FILE
	Env    []string // besides the environment of the test
}

// Inosyncd is the daemon, or one of its commands, as a process.
type Inosyncd struct {
	o      InosyncdOptions
	proc   *process
	stdout *logbook
	log    *logbook // standard error
}

// StartInosyncd writes the configuration and starts the program.
func StartInosyncd(o InosyncdOptions) (*Inosyncd, error) {
	d := &Inosyncd{o: o, stdout: newLogbook(), log: newLogbook()}
	if err := d.Configure(o.Config); err != nil {
		return nil, err
	}
	cmd := exec.Command(o.Binary, append([]string{"-c", d.ConfigFile()}, o.Args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = o.Dir, d.stdout, d.log
	cmd.Env = append(os.Environ(), o.Env...)
	var err error
	d.proc, err = start(cmd)
	return d, err
}

// ConfigFile is the file that the daemon reads.
func (d *Inosyncd) ConfigFile() string { return filepath.Join(d.o.Dir, "inosync.yaml") }

// Configure replaces the configuration file, as a whole. The daemon reads it
// when it is sent HUP.
func (d *Inosyncd) Configure(text string) error {
	temp := d.ConfigFile() + ".new"
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configuring inosyncd: %w", err)
	}
	return os.Rename(temp, d.ConfigFile())
}

// PID is the process number.
func (d *Inosyncd) PID() int { return d.proc.pid() }

// Signal sends the process a signal.
func (d *Inosyncd) Signal(sig syscall.Signal) error { return d.proc.cmd.Process.Signal(sig) }

// Wait waits for the process to end and returns its exit code, 128 + n when
// signal n has ended it.
func (d *Inosyncd) Wait(limit time.Duration) (int, error) { return d.proc.wait(limit) }

// Stop sends TERM and waits for the process to end; it returns its exit code. The
// error is that it has not, for long: then it prints where its goroutines are and
// is killed. Or that something it has started is still there: that is killed, too.
func (d *Inosyncd) Stop() (int, error) {
	if d.proc.ended() {
		return d.Wait(0)
	}
	below := descendants(d.PID())
	_ = d.Signal(syscall.SIGTERM)
	code, err := d.Wait(endLimit)
	if err != nil {
		_ = d.Signal(syscall.SIGQUIT)
		_, _ = d.Wait(stopLimit)
		d.proc.kill()
	} else {
		err = Eventually(stopLimit, func() error {
			if left := slices.DeleteFunc(slices.Clone(below), func(m member) bool { return !m.there() }); len(left) > 0 {
				return fmt.Errorf("%s has ended, and not what it has started: %v", d.proc.cmd.Path, left)
			}
			return nil
		})
	}
	kill(below)
	return code, err
}

// Kill ends the process, and not what it has started, by SIGKILL: the hardest
// end that it can come to.
func (d *Inosyncd) Kill() {
	_ = d.proc.cmd.Process.Kill()
	<-d.proc.done
}

// Output is what the process has printed to standard output so far.
func (d *Inosyncd) Output() string { return d.stdout.String() }

// Log is what the process has printed to standard error so far.
func (d *Inosyncd) Log() string { return d.log.String() }

// Lines returns the lines of the log that have the message, "" being any, and
// all of the attributes: keys and values in turn, compared as they print.
func (d *Inosyncd) Lines(msg string, attrs ...any) []Line {
	found, _ := d.log.find(msg, attrs)
	return found
}

// WaitLog waits until there are n such lines and returns the n-th.
func (d *Inosyncd) WaitLog(limit time.Duration, n int, msg string, attrs ...any) (Line, error) {
	late := time.After(limit)
	for {
		found, more := d.log.find(msg, attrs)
		if len(found) >= n {
			return found[n-1], nil
		}
		var why string
		select {
		case <-more:
			continue
		case <-d.proc.done:
			if again, _ := d.log.find(msg, attrs); len(again) >= n {
				return again[n-1], nil
			}
			why = "the process has ended"
		case <-late:
			why = fmt.Sprintf("not within %v", limit)
		}
		return Line{}, fmt.Errorf("waiting for line %d of %q %v: %s", n, msg, attrs, why)
	}
}

// WaitConverged waits until every destination is equal to src, and otherwise
// returns what differs.
func WaitConverged(limit time.Duration, o CompareOptions, src string, dsts ...string) error {
	return Eventually(limit, func() error {
		for _, dst := range dsts {
			diff, err := Compare(src, dst, o)
			if err != nil {
				return err
			}
			if len(diff) > 0 {
				first := diff[:min(len(diff), 20)] // enough to see what is wrong
				return fmt.Errorf("%q and %q differ in %d points:\n\t%s", src, dst, len(diff), strings.Join(first, "\n\t"))
			}
		}
		return nil
	})
}
