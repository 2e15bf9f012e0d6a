// Command demo shows inosyncd at work on one machine: a source, two stock rsync
// daemons on loopback, and for each kind of change how soon both had it.
//
//	demo PROGRAM
//
// It exits non-zero when something has not arrived, or has arrived and should
// not have.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"inosyncd/internal/lab"
)

// limit is how long a change may take.
const limit = 20 * time.Second

const config = `# %s
wpath: %s/
rnodes:
  - %s
  - %s
rexcludes:
  - "*.swp"
  - /cache/
edelay: 0          # send at once, do not collect changes
push_burst: 20     # do not pace so few of them
log_format: json
control: %s
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo PROGRAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(program string, out io.Writer) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "inosyncd-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newSite(dir)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf(config, filepath.Join(dir, "inosync.yaml"), s.source, s.daemons[0].URL("", "site"),
		s.daemons[1].URL("", "site"), filepath.Join(dir, "control"))
	fmt.Fprintf(out, "A source and two rsync daemons on this machine, and this configuration:\n\n%s\n", indent(text))
	began := time.Now()
	d, err := lab.StartInosyncd(lab.InosyncdOptions{Binary: program, Dir: dir, Config: text})
	if err != nil {
		return err
	}
	if err = s.show(out, began); err == nil {
		fmt.Fprintf(out, "\nThe daemon ran rsync for %d pushes.", len(d.Lines("pushed")))
	}
	code, stopErr := d.Stop()
	if want := 128 + int(syscall.SIGTERM); stopErr == nil && code != want {
		stopErr = fmt.Errorf("the daemon ended with code %d on SIGTERM, not %d", code, want)
	}
	if err = errors.Join(err, stopErr); err != nil {
		return fmt.Errorf("%w\nthe daemon said:\n%s", err, indent(d.Log()))
	}
	fmt.Fprintf(out, " It ended with code %d on SIGTERM.\n", code)
	return nil
}

// show makes the changes, one after the other, and prints how soon each was at
// both nodes.
func (s *site) show(out io.Writer, began time.Time) error {
	times, err := s.await(began, equal("index.html", "version 1\n"))
	if err != nil {
		return fmt.Errorf("the first sync: %w", err)
	}
	fmt.Fprintf(out, "Started; the first full sync was there after %s and %s.\n\n", ms(times[0]), ms(times[1]))
	fmt.Fprintf(out, "  %-46s %10s %10s\n", "change", "node 1", "node 2")
	for _, c := range changes {
		began := time.Now()
		if err := c.make(s.source); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		times, err := s.await(began, c.arrived)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Fprintf(out, "  %-46s %10s %10s\n", c.name, ms(times[0]), ms(times[1]))
	}
	for _, mirror := range s.mirrors {
		for _, name := range []string{"notes.swp", "cache"} {
			if _, err := os.Lstat(filepath.Join(mirror, name)); err == nil {
				return fmt.Errorf("%s is excluded, and has arrived in %s", name, mirror)
			}
		}
	}
	fmt.Fprintf(out, "  %-46s %10s %10s\n", "write notes.swp and cache/page, both excluded", "not sent", "not sent")
	o := lab.CompareOptions{Skip: func(path string, _ bool) bool { return path == "cache" || path == "notes.swp" }}
	if err := lab.WaitConverged(limit, o, s.source, s.mirrors...); err != nil {
		return err
	}
	fmt.Fprint(out, "\nBoth nodes are equal to the source: names, contents, modes, owners and times.\n")
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond)) }

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}
