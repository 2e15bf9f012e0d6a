package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSchedule gives a schedule what the clock shows at one look after the other.
func TestSchedule(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC)
	const day = 24 * time.Hour
	type look struct {
		after time.Duration // since the start
		due   bool
		wait  time.Duration // until the next
	}
	for _, tt := range []struct {
		name, text string
		looks      []look
	}{
		{"never", "", []look{{0, false, lookAgain}, {400 * day, false, lookAgain}}},
		{"hourly", "@hourly", []look{
			{58 * time.Minute, false, lookAgain},
			{59 * time.Minute, false, 30 * time.Second},
			{59*time.Minute + 30*time.Second, true, lookAgain},
			{60 * time.Minute, false, lookAgain},
			{119*time.Minute + 30*time.Second, true, lookAgain},
		}},
		{"every second", "@every 1s", []look{{time.Second, true, time.Second}, {2 * time.Second, true, time.Second}}},
		{"after a sleep, once", "0 3 * * *", []look{
			{time.Minute, false, lookAgain},
			{3 * day, true, lookAgain},
			{3*day + time.Minute, false, lookAgain},
			{4 * day, true, lookAgain},
		}},
		{"the clock is set back", "@daily", []look{
			{-30 * day, false, lookAgain},
			{-30*day + 13*time.Hour, true, lookAgain},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSchedule(tt.text, start)
			defer s.stop()
			for _, l := range tt.looks {
				now := start.Add(l.after)
				if got := s.due(now); got != l.due || s.wait(now) != l.wait {
					t.Errorf("due(start + %v): got %v, and then %v to wait, want %v, %v", l.after, got, s.wait(now), l.due, l.wait)
				}
			}
		})
	}
}

// TestScheduleGoesOn takes every look from the timer, which each of them sets anew.
func TestScheduleGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule("@every 150s", time.Now())
		defer s.stop()
		for i, want := range []bool{false, false, true, false, false, true} {
			if got := s.due((<-s.look.C).Round(0)); got != want {
				t.Errorf("look %d: due: got %v, want %v", i+1, got, want)
			}
		}
	})
}

// The time of the next one is a time of day, and has no reading of a clock that
// stands still while the machine sleeps.
func TestScheduleIsByTheTimeOfDay(t *testing.T) {
	now := time.Now()
	s := newSchedule("@every 1h", now)
	defer s.stop()
	for range 2 {
		if s.at != s.at.Round(0) {
			t.Errorf("the next full sync is at %v, want no monotonic clock in it", s.at)
		}
		if !s.due(now.Add(2 * time.Hour)) {
			t.Error("due(): got false two hours later, want true")
		}
		now = now.Add(2 * time.Hour)
	}
}
