package logging_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"inosyncd/internal/lab/labtest"
	"inosyncd/internal/logging"
)

// tear returns the lines so far and begins anew.
func tear(p *labtest.Log) []string {
	return strings.Split(strings.TrimSuffix(p.Take(), "\n"), "\n")
}

func limited(t *testing.T) (*slog.Logger, *labtest.Log) {
	t.Helper()
	p := &labtest.Log{}
	l := logging.Limit(logging.New(p, logging.Options{Level: slog.LevelDebug, Journal: true}).Handler())
	t.Cleanup(l.Close)
	return slog.New(l), p
}

func expectLines(t *testing.T, p *labtest.Log, want ...string) {
	t.Helper()
	if len(want) == 0 {
		want = []string{""}
	}
	if diff := cmp.Diff(want, tear(p)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestFloods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, p := limited(t)
		www := log.With("mirror", "www")
		for i := range 100 {
			www.Warn("not sharing", "node", "a", "err", errors.New("no place\x1b"), "took", i)
			time.Sleep(100 * time.Millisecond)
		}
		www.Warn("not sharing", "node", "b", "err", errors.New("no place\x1b"))
		log.With("mirror", "pub").Warn("not sharing", "node", "a", "err", errors.New("no place\x1b"))
		www.Warn("not sharing", "node", "a", "err", errors.New("no way"))
		www.Error("not sharing", "node", "a", "err", errors.New("no place\x1b"))
		var want []string
		for i := range 5 {
			want = append(want, fmt.Sprintf(`<4>msg="not sharing" mirror=www node=a err="no place\x1b" took=%d`, i))
		}
		expectLines(t, p, append(want,
			`<4>msg="not sharing" mirror=www node=b err="no place\x1b"`,
			`<4>msg="not sharing" mirror=pub node=a err="no place\x1b"`,
			`<4>msg="not sharing" mirror=www node=a err="no way"`,
			`<3>msg="not sharing" mirror=www node=a err="no place\x1b"`,
		)...)
		time.Sleep(time.Minute)
		synctest.Wait()
		expectLines(t, p, `<4>msg=repeated mirror=www line="not sharing" count=95 node=a err="no place\x1b"`)
		time.Sleep(time.Hour)
		expectLines(t, p)
		www.Warn("not sharing", "node", "a", "err", errors.New("no place\x1b"))
		expectLines(t, p, `<4>msg="not sharing" mirror=www node=a err="no place\x1b"`)
	})
}

// One line per push, one per failure, one per path at debug: all of them.
func TestNeverSwallowed(t *testing.T) {
	for msg, level := range map[string]slog.Level{
		"pushed": slog.LevelInfo, "would push": slog.LevelInfo, "configuration reloaded": slog.LevelInfo,
		"push failed": slog.LevelError, "held": slog.LevelError,
	} {
		synctest.Test(t, func(t *testing.T) {
			log, p := limited(t)
			for range 50 {
				log.Log(t.Context(), level, msg, "mirror", "www", "node", "a") //nolint:sloglint // every message that is exempt
				log.Debug("sent", "path", "x")
			}
			if got := tear(p); len(got) != 100 {
				t.Errorf("50 lines %q and 50 at debug: got %d, want 100", msg, len(got))
			}
		})
	}
}

// What is swallowed when the log is closed is told; what comes after it passes.
func TestCloseTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &labtest.Log{}
		l := logging.Limit(logging.New(p, logging.Options{Journal: true}).Handler())
		log := slog.New(l)
		for range 7 {
			log.Warn("m")
		}
		tear(p)
		l.Close()
		expectLines(t, p, "<4>msg=repeated line=m count=2")
		log.Warn("m")
		expectLines(t, p, "<4>msg=m")
		l.Close()
		time.Sleep(time.Hour)
		expectLines(t, p)
	})
}

// The table is bounded: lines that have no room in it all pass.
func TestManyKindsOfLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, p := limited(t)
		for i := range 1200 {
			for range 6 {
				log.Warn("m", "path", i)
			}
		}
		if got, want := len(tear(p)), 1000*5+200*6; got != want {
			t.Errorf("lines of 1200 kinds: got %d, want %d", got, want)
		}
	})
}

// Attributes in a group are others than those outside.
func TestGroupsAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, p := limited(t)
		log = log.WithGroup("g").With("node", "a")
		for i := range 7 {
			log.Warn("m", "path", i)
		}
		if got := tear(p); len(got) != 5 {
			t.Errorf("lines: got %q, want 5", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		expectLines(t, p, "<4>msg=repeated g.node=a g.line=m g.count=2 g.path=0")
	})
}

func TestFloodsFromManyGoroutines(t *testing.T) {
	log, p := limited(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				log.Warn("m")
			}
		})
	}
	all.Wait()
	if got := tear(p); len(got) != 5 {
		t.Errorf("lines: got %q, want 5", got)
	}
}
