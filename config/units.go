package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// number reads a plain decimal number, 0 or more. YAML has more ways to write
// one (0x10, 0o17, 1_000, .inf, and 017 which is 15 or 17); none is taken, so
// that nothing is what it does not look like.
func number(s string) (float64, error) {
	if strings.HasPrefix(s, "-") {
		return 0, errors.New("must not be negative")
	}
	digits := strings.Trim(s, "0123456789.") == "" && strings.Trim(s, ".") != ""
	octal := len(s) > 1 && s[0] == '0' && s[1] != '.'
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !digits || octal {
		return 0, errors.New("must be a number")
	}
	return f, nil
}

// parseDuration reads a number of seconds, or a duration with its unit such as
// 200ms, 1.5s, 2m.
func parseDuration(s string) (time.Duration, error) {
	if f, err := number(s); err == nil {
		d := f * float64(time.Second)
		if d >= math.MaxInt64 {
			return 0, errors.New("is too long")
		}
		return time.Duration(math.Round(d)), nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, errors.New("must not be negative")
	case err != nil || strings.HasPrefix(s, "+"):
		return 0, errors.New("must be a number of seconds or a duration such as 200ms, 1.5s, 2m")
	}
	return d, nil
}

// rateUnits are bytes per second, in either case. As in rsync's --bwlimit, k, M
// and G are powers of 1024; bits are counted as networks do, in powers of 1000.
var rateUnits = []struct {
	suffix string
	bytes  float64
}{
	{"kbit", 1e3 / 8},
	{"mbit", 1e6 / 8},
	{"gbit", 1e9 / 8},
	{"k", 1 << 10},
	{"m", 1 << 20},
	{"g", 1 << 30},
	{"", 1 << 10},
}

// parseRate reads a rate as a number of KiB/s or with a unit of its own, and
// returns bytes per second. Only 0 is 0, which is no limit.
func parseRate(s string) (int64, error) {
	for _, u := range rateUnits {
		digits, ok := strings.CutSuffix(strings.ToLower(s), u.suffix)
		if !ok {
			continue
		}
		f, err := number(digits)
		switch {
		case err != nil && strings.HasPrefix(s, "-"):
			return 0, err
		case err != nil:
			return 0, notARate(s)
		case f*u.bytes >= 1<<53:
			return 0, errors.New("is too high")
		}
		return int64(math.Ceil(f * u.bytes)), nil
	}
	panic("the last unit fits always")
}

// unclearRate matches what has a b for bits or bytes. With bytes the powers are
// of 1000 for some, as for rsync, and of 1024 for others.
var unclearRate = regexp.MustCompile(`(?i)^([0-9.]+) ?([kmg])i?b(ps|/s)?$`)

// notARate says what is wrong with s.
func notARate(s string) error {
	if m := unclearRate.FindStringSubmatch(s); m != nil {
		return fmt.Errorf("can be bits or bytes: write %[1]sbit or, for bytes, %[1]s", m[1]+m[2])
	}
	return errors.New("must be a number of KiB/s or a rate such as 500k, 10M, 80Mbit")
}

// parsePace reads a number per second, or per second, minute or hour as 1/s,
// 30/m, 10/h. It is never 0: nothing would ever start.
func parsePace(s string) (float64, error) {
	digits, unit, found := strings.Cut(s, "/")
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !found {
		per = 1
	}
	f, err := number(digits)
	switch {
	case err != nil && strings.HasPrefix(s, "-"):
		return 0, err
	case err != nil || per == 0:
		return 0, errors.New("must be a number per second or a pace such as 1/s, 30/m")
	case f == 0:
		return 0, errors.New("must be more than 0")
	case math.IsInf(f, 0):
		return 0, errors.New("is too high")
	}
	return f / per, nil
}
