package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// asTalker makes the test binary a program that writes so many bytes every 10 ms,
// and reads nothing.
const asTalker = "PROCESS_TEST_TALKER"

func talk(bytes string) {
	n, err := strconv.Atoi(bytes)
	null, _ := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	for err == nil {
		_, err = null.Write(make([]byte, n))
		time.Sleep(10 * time.Millisecond)
	}
}

// On a stalled line rsync goes on writing signs of life, which nobody gets.
func TestSignsOfLifeAreNoWork(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for name, tt := range map[string]struct {
		bytes int
		idle  bool
	}{
		"signs of life": {1, true},
		"a list":        {signs, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Start(t.Context(), Spec{
				Program: program, Dir: dir, Attr: &syscall.SysProcAttr{Setsid: true},
				Env: []string{fmt.Sprint(asTalker, "=", tt.bytes), "GOMAXPROCS=1"}, // or the runtime reads how many
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.idle {
				time.AfterFunc(3*time.Second, func() { p.cancel(errEnough) })
			}
			if end := p.Finish(nil, time.Second); errors.Is(end.Cause, ErrIdle) != tt.idle {
				t.Errorf("Finish: got %v, want it ended for being idle: %v", end.Cause, tt.idle)
			}
		})
	}
}

var errEnough = errors.New("it goes on")
