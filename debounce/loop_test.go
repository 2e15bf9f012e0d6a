package debounce

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"inosyncd/internal/change"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is where a Loop hands its sets to.
type recorder struct {
	start time.Time
	mu    sync.Mutex
	got   []string
}

func record() *recorder { return &recorder{start: time.Now()} }

func (r *recorder) out(s *change.Set) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, fmt.Sprint(time.Since(r.start), lines(s)))
}

func (r *recorder) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if diff := cmp.Diff(want, r.got); diff != "" {
		t.Errorf("handed out (-want +got):\n%s", diff)
	}
}

func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record()
		l := Start(Options{Mask: change.DefaultMask, Delay: 2 * second, OpenLimit: time.Minute}, r.out)
		defer l.Close()

		l.Add(on("a", closed))
		time.Sleep(second)
		l.Add(on("b", closed))
		l.Add(open("f"))
		time.Sleep(500 * time.Millisecond)
		r.expect(t)
		time.Sleep(500 * time.Millisecond)
		r.expect(t, "2s [a ic b ic]")

		time.Sleep(time.Hour)
		l.AddAll()
		time.Sleep(time.Hour)
		r.expect(t, "2s [a ic b ic]", "1m3s [f ic]", "1h0m4s [ ia]")
	})
}

func TestLoopWithoutDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record()
		l := Start(Options{Mask: change.DefaultMask}, r.out)
		defer l.Close()
		l.Add(on("a", closed))
		r.expect(t, "0s [a ic]")
		l.Add(on("b", closed))
		r.expect(t, "0s [a ic]", "0s [b ic]")
	})
}

// A nearer deadline wakes a loop that sleeps for a farther one.
func TestLoopWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record()
		l := Start(Options{Mask: change.DefaultMask, Delay: second, OpenLimit: time.Hour}, r.out)
		defer l.Close()
		l.Add(open("f"))
		time.Sleep(second)
		if l.Held() != 1 || l.Len() != 0 || !l.Covers("f") || !l.Since().Equal(r.start) {
			t.Errorf("an open file: got %d held, %d pending, covered %v, since %v", l.Held(), l.Len(), l.Covers("f"), l.Since())
		}
		l.Add(on("f", closed))
		time.Sleep(second)
		r.expect(t, "2s [f ic]")
	})
}

func TestLoopFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record()
		l := Start(Options{Mask: change.DefaultMask, Delay: time.Hour, OpenLimit: time.Hour}, r.out)
		l.Add(on("a", closed))
		l.Add(open("f"))
		l.Flush()
		l.Flush()
		r.expect(t, "0s [a ic]")
		l.Close()
		l.Add(on("b", closed)) // harmless
		l.Close()
		time.Sleep(24 * time.Hour)
		r.expect(t, "0s [a ic]")
	})
}

// Close waits for the set that is being handed out; Add waits for nobody, and
// nothing else is taken in between.
func TestLoopWhileHandingOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end, returned := make(chan struct{}), false
		var l *Loop
		l = Start(Options{Mask: change.DefaultMask}, func(*change.Set) {
			<-end
			if l.handing.TryLock() {
				t.Error("another set could have been handed out meanwhile")
			}
			returned = true
		})
		l.Add(on("a", closed))
		synctest.Wait()
		for range 1000 {
			l.Add(on("b", closed))
		}
		time.AfterFunc(second, func() { close(end) })
		l.Close()
		if !returned {
			t.Error("Close() returned before the set was handed out")
		}
	})
}

// Of all sets the last that a node hears of a file is that it was released,
// however Resync and Flush come in between.
func TestResyncKeepsTheOrder(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			backlog := change.New(0)
			out := func(s *change.Set) { backlog.Release(s); backlog.Merge(s) }
			l := Start(Options{Mask: change.DefaultMask, OpenLimit: time.Hour}, out)
			var wg sync.WaitGroup
			wg.Go(func() { l.Resync(out) })
			wg.Go(func() { l.Flush() })
			wg.Go(func() {
				l.Add(open("f"))
				l.Add(on("f", closed))
			})
			wg.Wait()
			synctest.Wait()
			l.Close()
			if diff := cmp.Diff([]string{" ia", "f ic"}, lines(backlog)); diff != "" {
				t.Errorf("the backlog in the end (-want +got):\n%s", diff)
			}
		})
	}
}

// Who asks while a set is being handed out is answered when it has arrived: it is
// never in neither place.
func TestLoopAnswersBehindWhatItHandsOut(t *testing.T) {
	for range 20 {
		taken, goOn := make(chan struct{}), make(chan struct{})
		var arrived atomic.Bool
		l := Start(Options{Mask: change.DefaultMask}, func(*change.Set) {
			close(taken)
			<-goOn
			arrived.Store(true)
		})
		l.Add(change.Event{Path: "x", Mask: unix.IN_CLOSE_WRITE})
		<-taken
		asking, answered := make(chan struct{}), make(chan bool)
		go func() {
			close(asking)
			_ = l.Len()
			answered <- arrived.Load()
		}()
		<-asking
		runtime.Gosched()
		close(goOn)
		if !<-answered {
			t.Error("Len(): got an answer before the set had arrived")
		}
		l.Close()
	}
}
