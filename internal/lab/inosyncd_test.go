package lab_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"inosyncd/internal/lab"
)

// program starts a stand-in for the daemon.
func program(t *testing.T, lines ...string) *lab.Inosyncd {
	t.Helper()
	d, err := lab.StartInosyncd(lab.InosyncdOptions{
		Binary: script(t, lines...), Dir: t.TempDir(), Config: "the: configuration\n", Args: []string{"-v"},
	})
	must(t, err)
	t.Cleanup(d.Kill)
	return d
}

const line = `{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"pushed","node":"a\nb","paths":3}`

func TestInosyncdLog(t *testing.T) {
	t.Parallel()
	d := program(t,
		`echo "$1 $3"; cat "$2"`,
		`echo 'not { JSON' >&2; printf '%s' '`+line[:30]+`' >&2`,
		`printf '%s\n' '`+line[30:]+`' >&2`,
		`read never <"$0.fifo" 2>&1; exit 7`)
	if code, err := d.Wait(time.Minute); err != nil || code != 7 {
		t.Fatalf("Wait: got %d, %v, want 7", code, err)
	}
	if got, want := d.Output(), "-c -v\nthe: configuration\n"; got != want {
		t.Errorf("Output(): got %q, want %q", got, want)
	}
	if got := d.Log(); !strings.Contains(got, "not { JSON\n") {
		t.Errorf("Log(): got %q, want all that was printed", got)
	}
	l, err := d.WaitLog(time.Minute, 1, "pushed", "node", "a\nb", "paths", 3)
	if err != nil || l.Level != "INFO" || l.Time.Year() != 2026 {
		t.Errorf("WaitLog: got %+v, %v, want the line", l, err)
	}
	for _, attrs := range [][]any{{"paths", 4}, {"other", 3}} {
		if got := d.Lines("pushed", attrs...); len(got) != 0 {
			t.Errorf("Lines(%v): got %v, want none", attrs, got)
		}
	}
	begin := time.Now()
	if _, err := d.WaitLog(time.Minute, 2, "pushed"); err == nil || time.Since(begin) > 30*time.Second {
		t.Errorf("WaitLog for a line that a dead process cannot print: got %v after %v", err, time.Since(begin))
	}
}

func TestInosyncdSignals(t *testing.T) {
	t.Parallel()
	d := program(t, `answer() { printf '%s\n' '`+line+`' >&2; }`, `trap answer HUP`, `trap 'exit 4' TERM`,
		`echo '{"msg":"ready"}' >&2`, `while :; do sleep 0.01; done`)
	_, err := d.WaitLog(time.Minute, 1, "ready")
	must(t, err, d.Signal(syscall.SIGHUP))
	_, err = d.WaitLog(time.Minute, 1, "pushed")
	must(t, err)
	if code, err := d.Stop(); err != nil || code != 4 {
		t.Errorf("Stop: got %d, %v, want 4", code, err)
	}
	if there(d.PID()) {
		t.Error("the process is there after Stop")
	}
}

func TestInosyncdKill(t *testing.T) {
	t.Parallel()
	d := program(t, `exec sleep 1000`)
	d.Kill()
	if code, err := d.Wait(0); err != nil || code != 128+int(syscall.SIGKILL) {
		t.Errorf("Wait after Kill: got %d, %v, want %d", code, err, 128+int(syscall.SIGKILL))
	}
}
