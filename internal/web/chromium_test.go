package web

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// browserLimit is generous: a browser takes seconds to start where all else is
// busy.
const browserLimit = 2 * time.Minute

// browser is a headless chromium, spoken to in the DevTools protocol over a pair
// of pipes: --remote-debugging-pipe takes messages that end in NUL on descriptor
// 3 and gives them on 4.
type browser struct {
	t   *testing.T
	in  *os.File
	ids *int // the last of a call

	*ear
}

// ear is what is heard from the browser.
type ear struct {
	mu      sync.Mutex
	answers map[int]chan answer // guarded by mu; of the calls that wait
	faults  []string            // guarded by mu: what the browser refused or scripts threw
}

// with is the browser for a part of the test.
func (b *browser) with(t *testing.T) *browser {
	n := *b
	n.t = t
	return &n
}

type answer struct {
	ID     int
	Result json.RawMessage
	Error  *struct{ Message string }

	Method string // of an event
	Params json.RawMessage
}

// browse starts a browser; the test's end ends it.
func browse(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs chromium: apt-get install chromium")
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "browser") //nolint:usetesting // chromium writes into it for a moment after its end
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + dir, "--no-first-run", "--no-proxy-server",
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
		"--disable-extensions", "--disable-sync", "--hide-scrollbars", "--force-color-profile=srgb",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // chromium refuses root otherwise
	}
	cmd := exec.Command(program, args...)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	b := &browser{t: t, in: in, ids: new(int), ear: &ear{answers: map[int]chan answer{}}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(out)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = in.Close()
		<-read // all of its processes are gone
		_ = out.Close()
		_ = os.RemoveAll(dir)
	})
	return b
}

// read takes what the browser says until it ends.
func (b *ear) read(out *os.File) {
	r := bufio.NewReader(out)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(text[:len(text)-1], &a) != nil {
			continue
		}
		b.mu.Lock()
		switch waiting := b.answers[a.ID]; {
		case a.Method == "Log.entryAdded", a.Method == "Runtime.exceptionThrown":
			b.faults = append(b.faults, string(a.Params))
		case waiting != nil:
			waiting <- a
			delete(b.answers, a.ID)
		}
		b.mu.Unlock()
	}
}

// call does something in the tab session, or in the browser where that is empty.
func (b *browser) call(session, method string, params, result any) {
	b.t.Helper()
	if err := b.ask(session, method, params, result); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) ask(session, method string, params, result any) error {
	b.mu.Lock()
	*b.ids++
	id, got := *b.ids, make(chan answer, 1)
	b.answers[id] = got
	b.mu.Unlock()
	message := map[string]any{"id": id, "method": method, "params": params}
	if session != "" {
		message["sessionId"] = session
	}
	text, err := json.Marshal(message)
	if err == nil {
		_, err = b.in.Write(append(text, 0))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-got:
		if a.Error != nil {
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-time.After(browserLimit):
		return fmt.Errorf("%s: no answer within %v", method, browserLimit)
	}
}

// screen is how a tab is looked at.
type screen struct {
	width, height int
	dark          bool
	noScript      bool
}

// tab is a page in the browser.
type tab struct {
	*browser
	id, session string
}

// close makes room: a browser has but six connections to a server, and a page
// that is live keeps one.
func (tab *tab) close() {
	tab.t.Helper()
	tab.call("", "Target.closeTarget", map[string]any{"targetId": tab.id}, nil)
}

func (b *browser) open(s screen, url string) *tab {
	b.t.Helper()
	var target struct{ TargetID string }
	b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	tab := &tab{b, target.TargetID, attached.SessionID}
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	for method, params := range map[string]any{
		"Log.enable":     map[string]any{},
		"Runtime.enable": map[string]any{},
		"Emulation.setDeviceMetricsOverride": map[string]any{
			"width": s.width, "height": s.height, "deviceScaleFactor": 1, "mobile": s.width < 600,
		},
		"Emulation.setEmulatedMedia": map[string]any{
			"features": []any{map[string]string{"name": "prefers-color-scheme", "value": scheme}},
		},
		"Emulation.setScriptExecutionDisabled": map[string]any{"value": s.noScript},
	} {
		tab.call(tab.session, method, params, nil)
	}
	tab.call(tab.session, "Page.navigate", map[string]any{"url": url}, nil)
	tab.until("the page has loaded", `document.readyState === "complete" && !!document.querySelector("footer")`)
	return tab
}

// eval is what an expression comes to on the page. It works also where the
// page's own scripts are off.
func (tab *tab) eval(expression string) any {
	tab.t.Helper()
	v, err := tab.try(expression)
	if err != nil {
		tab.t.Fatal(err)
	}
	return v
}

func (tab *tab) try(expression string) (any, error) {
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails any
	}
	err := tab.ask(tab.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &got)
	if err == nil && got.ExceptionDetails != nil {
		err = fmt.Errorf("%s: %v", expression, got.ExceptionDetails)
	}
	return got.Result.Value, err
}

// until waits for a condition on the page, which may be about to be another
// page: then the condition cannot always be looked at.
func (tab *tab) until(what, expression string) {
	tab.t.Helper()
	for end := time.Now().Add(browserLimit); ; time.Sleep(20 * time.Millisecond) {
		v, err := tab.try(expression)
		if v == true && err == nil {
			return
		}
		if time.Now().After(end) {
			tab.t.Fatalf("waiting until %s: not within %v, %v; the page is\n%v", what, browserLimit, err, tab.eval("document.documentElement.outerHTML"))
		}
	}
}

// shoot keeps a picture of the whole page: go test -artifacts.
func (tab *tab) shoot(name string) {
	tab.t.Helper()
	var shot struct{ Data string }
	tab.call(tab.session, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(tab.t.ArtifactDir(), name+".png"), png, 0o644)
	}
	if err != nil {
		tab.t.Errorf("keeping the picture %s: %v", name, err)
	}
}

// complaints are what the browser refused to do, such as what the policy of the
// page forbids, and what its script failed at.
func (b *ear) complaints() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, f := range b.faults {
		if !strings.Contains(f, `"source":"network"`) { // such as for an icon, which there is none of
			all = append(all, f)
		}
	}
	return strings.Join(all, "\n")
}
