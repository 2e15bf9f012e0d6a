package config

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const form = "must be a number of seconds or a duration such as 200ms, 1.5s, 2m"
	for _, tc := range []struct {
		in   string
		want time.Duration
		err  string
	}{
		{in: "1", want: time.Second},
		{in: "0.5", want: 500 * time.Millisecond},
		{in: "0", want: 0},
		{in: "200ms", want: 200 * time.Millisecond},
		{in: "1.5s", want: 1500 * time.Millisecond},
		{in: "2m", want: 2 * time.Minute},
		{in: "1h30m", want: 90 * time.Minute},
		{in: "-1", err: "must not be negative"},
		{in: "-1s", err: "must not be negative"},
		{in: "+1s", err: form},
		{in: "1 s", err: form},
		{in: "0x10", err: form},
		{in: "010", err: form},
		{in: "1_000", err: form},
		{in: ".inf", err: form},
		{in: "1e3", err: form},
		{in: ".", err: form},
		{in: "", err: form},
		{in: "99999999999", err: "is too long"},
	} {
		got, err := parseDuration(tc.in)
		check(t, "parseDuration", tc.in, got, tc.want, err, tc.err)
	}
}

func TestParseRate(t *testing.T) {
	const form = "must be a number of KiB/s or a rate such as 500k, 10M, 80Mbit"
	for _, tc := range []struct {
		in   string
		want int64
		err  string
	}{
		{in: "0", want: 0},
		{in: "500", want: 500 << 10},
		{in: "1.5", want: 1536},
		{in: "500k", want: 500 << 10},
		{in: "10M", want: 10 << 20},
		{in: "1G", want: 1 << 30},
		{in: "80Mbit", want: 10_000_000},
		{in: "100kbit", want: 12_500},
		{in: "1Gbit", want: 125_000_000},
		{in: "0.00001", want: 1}, // not 0, which would be no limit
		{in: "-1", err: "must not be negative"},
		{in: "-1M", err: "must not be negative"},
		{in: "500K", want: 500 << 10},
		{in: "10m", want: 10 << 20},
		{in: "1g", want: 1 << 30},
		{in: "80mbit", want: 10_000_000},
		{in: "10MB", err: "can be bits or bytes: write 10Mbit or, for bytes, 10M"},
		{in: "10Mb", err: "can be bits or bytes: write 10Mbit or, for bytes, 10M"},
		{in: "1.5 kb/s", err: "can be bits or bytes: write 1.5kbit or, for bytes, 1.5k"},
		{in: "1Gbps", err: "can be bits or bytes: write 1Gbit or, for bytes, 1G"},
		{in: "10B", err: form},
		{in: "10T", err: form},
		{in: "M", err: form},
		{in: "10 M", err: form},
		{in: "", err: form},
		{in: "99999999G", err: "is too high"},
	} {
		got, err := parseRate(tc.in)
		check(t, "parseRate", tc.in, got, tc.want, err, tc.err)
	}
}

func TestParsePace(t *testing.T) {
	const form = "must be a number per second or a pace such as 1/s, 30/m"
	for _, tc := range []struct {
		in   string
		want float64
		err  string
	}{
		{in: "1/s", want: 1},
		{in: "30/m", want: 0.5},
		{in: "36/h", want: 0.01},
		{in: "2.5", want: 2.5},
		{in: "0", err: "must be more than 0"},
		{in: "-1/s", err: "must not be negative"},
		{in: "1/", err: form},
		{in: "1/d", err: form},
		{in: "/s", err: form},
		{in: "fast", err: form},
	} {
		got, err := parsePace(tc.in)
		check(t, "parsePace", tc.in, got, tc.want, err, tc.err)
	}
}

func TestSundays(t *testing.T) {
	for in, want := range map[string]string{
		"0 3 * * 7":             "0 3 * * 0",
		"0 3 * * 1,7":           "0 3 * * 1,0",
		"0 3 * * 5-7":           "0 3 * * 5-6,0",
		"7 7 7 7 *":             "7 7 7 7 *",
		"TZ=UTC 0 3 * * 7":      "TZ=UTC 0 3 * * 0",
		"0 3 * 7":               "0 3 * 7",
		"@every 7h":             "@every 7h",
		"":                      "",
		"0  3 * *\tSUN":         "0 3 * * SUN",
		"CRON_TZ=UTC 0 3 * * 7": "CRON_TZ=UTC 0 3 * * 0",
	} {
		if got := sundays(in); got != want || got != "0 3 * 7" && checkSchedule(got) != nil {
			t.Errorf("sundays(%q): got %q, %v, want %q", in, got, checkSchedule(got), want)
		}
	}
}

func check[T comparable](t *testing.T, op, in string, got, want T, err error, wantErr string) {
	t.Helper()
	msg := ""
	if err != nil {
		msg = err.Error()
	}
	if got != want || msg != wantErr {
		t.Errorf("%s(%q): got %v, %q, want %v, %q", op, in, got, msg, want, wantErr)
	}
}
