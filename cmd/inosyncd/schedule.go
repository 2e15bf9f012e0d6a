package main

import (
	"time"

	"github.com/robfig/cron/v3"
)

// lookAgain is how often the time of day is looked at. A timer runs by
// CLOCK_MONOTONIC, which stands still while the machine sleeps and knows nothing
// of a clock that is set: clock_gettime(2).
const lookAgain = time.Minute

// schedule tells when a full sync of a mirror is due. It has one owner, the
// goroutine of the mirror's run.
type schedule struct {
	cron cron.Schedule // nil: never
	at   time.Time     // of the next full sync, by the time of day
	look *time.Timer   // look at due
}

// newSchedule makes a schedule of what the configuration says.
func newSchedule(text string, now time.Time) *schedule {
	s := &schedule{look: time.NewTimer(lookAgain)}
	if text != "" {
		s.cron, _ = cron.ParseStandard(text) // checked when the configuration was read
	}
	if s.cron != nil {
		s.at = s.cron.Next(now.Round(0))
	}
	s.look.Reset(s.wait(now))
	return s
}

// due reports whether a full sync is due, and if so, goes on to the next one.
func (s *schedule) due(now time.Time) bool {
	now = now.Round(0) // by the time of day alone
	due := false
	if s.cron != nil {
		next := s.cron.Next(now)
		due = !now.Before(s.at)
		if due || next.Before(s.at) { // the clock was set back
			s.at = next
		}
	}
	s.look.Reset(s.wait(now))
	return due
}

// wait is how long nothing can be due, if the clock is not set.
func (s *schedule) wait(now time.Time) time.Duration {
	if s.cron == nil {
		return lookAgain
	}
	return min(lookAgain, s.at.Sub(now.Round(0)))
}

func (s *schedule) stop() { s.look.Stop() }
