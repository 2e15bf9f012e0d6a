package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"inosyncd/internal/status"
)

// statusTick is how often the line of systemctl status is looked after.
const statusTick = 5 * time.Second

// keepTelling tells systemd how the daemon stands until stop is called, which
// returns when nothing more is told: sd_notify(3). It does nothing where the
// daemon is not a service.
func (s *supervisor) keepTelling() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var telling sync.WaitGroup
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("running without a watchdog", "err", err)
	}
	if limit > 0 {
		telling.Go(func() { s.watchdog(ctx, limit) })
	}
	if os.Getenv("NOTIFY_SOCKET") != "" {
		telling.Go(func() { s.tellStatus(ctx) })
	}
	return func() { cancel(); telling.Wait() }
}

func (s *supervisor) tellStatus(ctx context.Context) {
	told := ""
	for ctx.Err() == nil {
		if line := statusLine(s.desk.Status()); line != told {
			s.tellSystemd("STATUS=" + line)
			told = line
		}
		pause(ctx, statusTick)
	}
}

// statusLine is how all nodes stand, without names.
func statusLine(s status.Status) string {
	tally := s.Tally()
	line := tally.String()
	if tally.Failed > 0 {
		line += fmt.Sprintf(", %d %s", tally.Failed, status.Failed)
	}
	if tally.Held > 0 {
		line += fmt.Sprintf(", %d %s", tally.Held, status.Held)
	}
	return line
}

// watchdog tells systemd that the daemon is alive, for as long as every stage
// of every mirror is. systemd ends the daemon when it was not told so for
// limit (WatchdogSec=). A stage has half of that to answer: it is asked when
// one half is over, and what is silent is named twice before the end.
func (s *supervisor) watchdog(ctx context.Context, limit time.Duration) {
	for ctx.Err() == nil {
		round, end := context.WithTimeout(ctx, limit/4)
		if s.allAlive(round) {
			s.tellSystemd(daemon.SdNotifyWatchdog)
			pause(ctx, limit/2)
		} else {
			<-round.Done() // who hangs may say so at once
		}
		end()
	}
}

// allAlive asks all stages at once, and logs which of them hang.
func (s *supervisor) allAlive(ctx context.Context) bool {
	stages := s.desk.stages()
	errs := make([]error, len(stages))
	var asked sync.WaitGroup
	for i, st := range stages {
		asked.Go(func() { errs[i] = st.alive(ctx) })
	}
	asked.Wait()
	if errors.Is(ctx.Err(), context.Canceled) {
		return false // the daemon stops
	}
	all := true
	for i, err := range errs {
		if err != nil {
			all = false
			s.log.Error("a stage hangs: systemd is not told that the daemon is alive",
				"mirror", stages[i].mirror, "stage", stages[i].name, "err", err)
		}
	}
	return all
}

// stage is a part of a mirror that can be asked for a sign of life.
type stage struct {
	mirror, name string
	alive        func(ctx context.Context) error
}

func (d *desk) stages() []stage {
	_, running := d.view()
	var all []stage
	for name, m := range running {
		if w, _ := m.seen.get(); w != nil {
			all = append(all, stage{name, "watcher", w.Alive})
		}
		all = append(all,
			stage{name, "queue", m.queue.Alive},
			stage{name, "nodes", m.nodes.Alive})
	}
	return all
}
