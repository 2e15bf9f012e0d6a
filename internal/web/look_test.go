package web

import (
	"fmt"
	"log/slog"
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"inosyncd/internal/nodelog"
	"inosyncd/internal/status"
)

// colourful is a daemon of which every kind of thing can be seen.
func colourful(now time.Time) status.Status {
	ago := func(d time.Duration) *time.Time { return status.At(now.Add(-d)) }
	return status.Status{Version: "1.0", PID: 7, Started: *ago(30 * time.Hour), Mirrors: []status.Mirror{
		{Name: "www", WPath: "/var/www/", Watches: 812, Nodes: []status.Node{
			{
				Node: "a.mirror.com:/var/www/", State: status.Success, InSync: true, LastSuccess: ago(20 * time.Second),
				LastFullSync: ago(7 * time.Hour), LastVerified: ago(50 * time.Hour), Pushes: 812, BytesSent: 734003200, Deleted: 31,
				Verification: &status.Verification{Ended: ago(50 * time.Hour)},
			},
			{
				Node: "deploy@b.mirror.com:/srv/www/", State: status.Syncing, Pending: 2, LagSeconds: 0.4, LastSuccess: ago(80 * time.Second),
				LastFullSync: ago(7 * time.Hour), LastVerified: ago(3 * time.Minute), Pushes: 811, BytesSent: 733003200,
				Verification: &status.Verification{
					Ended: ago(3 * time.Minute), Differences: 12, Pending: 1, Cure: new("resync makes them equal"),
					First: []status.Difference{{Path: "img/logo.svg", Kind: "content"}, {Path: "old", Kind: "extra"}},
				},
			},
			{
				Node: "c.mirror.com::www/site/", State: status.Failed, Pending: 184, LagSeconds: 5025,
				LastError:   new("rsync: failed to connect to c.mirror.com: Connection refused (111) (exit code 10)"),
				Cure:        new("check that the node's rsync daemon or sshd runs, and its port"),
				LastFailure: ago(40 * time.Second), NextTry: ago(-100 * time.Second), LastSuccess: ago(84 * time.Minute),
				LastFullSync: ago(7 * time.Hour), Pushes: 640, Failures: 21, BytesSent: 503003200,
			},
			{
				Node: "/mnt/backup/www/", State: status.Held, Pending: 31, LagSeconds: 631, Held: &status.Hold{
					Reason: "30 entries would be removed, more than max_delete allows (10)", Cure: "approve, if that is meant",
				}, LastSuccess: ago(11 * time.Minute), LastFullSync: ago(7 * time.Hour), Pushes: 102, BytesSent: 3400,
			},
		}},
		{Name: "pub", WPath: "/srv/pub/", Watches: 12, Nodes: []status.Node{
			{Node: "a.mirror.com:/srv/pub/", State: status.Pending, Pending: 1, LagSeconds: 3.2},
			{Node: "off.mirror.com:/pub/", State: status.Held, Disabled: true, Held: &status.Hold{Reason: "disabled in the configuration", Cure: "set enabled: true and reload"}},
		}},
	}}
}

// seed gives every node an hour of traffic.
func seed(s *Server, now time.Time) {
	s.history.look(s.daemon.Status(), now)
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	k := int64(3)
	for _, tr := range s.history.nodes {
		for i := range tr.bytes {
			if k = (k*7919 + 104729) % 1000003; k%3 == 0 {
				tr.bytes[i] = k * 5
			}
		}
	}
}

// firstNode is the node that the table shows first.
const firstNode = `document.querySelector("tbody th").textContent`

func TestBrowser(t *testing.T) {
	t.Parallel()
	b := browse(t)
	t.Run("looks", func(t *testing.T) { b.with(t).looks() })
	t.Run("is live", func(t *testing.T) { b.with(t).live() })
	t.Run("takes orders", func(t *testing.T) { b.with(t).takesOrders() })
	t.Run("asks for a token", func(t *testing.T) { b.with(t).login() })
	t.Run("names with markup", func(t *testing.T) { b.with(t).markup() })
	t.Run("200 nodes", func(t *testing.T) { b.with(t).many() })
	if c := b.complaints(); c != "" {
		t.Errorf("the browser complains:\n%s", c)
	}
}

// looks keeps pictures, for people, and sees what can be measured of them.
func (b *browser) looks() {
	now := time.Now()
	f := &fake{status: colourful(now), lines: []nodelog.Line{
		{Time: now.Add(-84 * time.Minute), Level: slog.LevelInfo, Text: "pushed paths=1 bytes=1234 deleted=0 took=13.4ms"},
		{Time: now.Add(-83 * time.Minute), Level: slog.LevelError, Text: `push failed err="Connection refused" cure="check that it runs"`},
		{Time: now.Add(-3 * time.Minute), Level: slog.LevelWarn, Text: "verified differences=12 pending=1 first=img/logo.svg kind=content"},
	}}
	s := open(b.t, "127.0.0.1:0", f)
	seed(s, now)
	for _, tt := range []struct {
		name string
		screen
	}{
		{"light", screen{width: 1600, height: 900}},
		{"laptop", screen{width: 1280, height: 800}},
		{"dark", screen{width: 1600, height: 900, dark: true}},
		{"phone", screen{width: 390, height: 844}},
		{"no-script", screen{width: 1280, height: 800, noScript: true}},
	} {
		for page, path := range map[string]string{"": "", "-node": "node?mirror=www&node=deploy@b.mirror.com:/srv/www/"} {
			tab := b.open(tt.screen, s.URL()+path)
			if !tt.noScript {
				tab.until("it is live", `document.getElementById("live").textContent.includes("live")`)
			}
			tab.shoot(tt.name + page)
			if wide := tab.eval(`document.documentElement.scrollWidth - innerWidth`).(float64); wide > 0 {
				b.t.Errorf("%s%s: the page is %v pixels wider than the screen", tt.name, page, wide)
			}
			back := tab.eval(`getComputedStyle(document.body).backgroundColor`)
			if light := back == "rgb(255, 255, 255)"; light == tt.dark {
				b.t.Errorf("%s%s: got the background %v, dark wanted: %v", tt.name, page, back, tt.dark)
			}
			if page == "" && tab.eval(firstNode) != "/mnt/backup/www/" {
				b.t.Errorf("%s: got %v first, want the node that waits for a person", tt.name, tab.eval(firstNode))
			}
			tab.close()
		}
	}
}

// live changes the daemon below an open page.
func (b *browser) live() {
	f := &fake{status: colourful(time.Now())}
	s := open(b.t, "127.0.0.1:0", f)
	tab := b.open(screen{width: 1400, height: 800}, s.URL())
	defer tab.close()
	tab.eval(`window.loaded = "once"`)
	changed := colourful(time.Now())
	a := &changed.Mirrors[0].Nodes[0]
	a.State, a.Held, a.InSync = status.Held, &status.Hold{Reason: "the disk is full", Cure: "make room"}, false
	a.LagSeconds = 100000
	f.set(changed)
	tab.until("the node that is now worst is first", firstNode+` === "a.mirror.com:/var/www/"`)
	if got := tab.eval(`document.querySelector("tbody tr").innerText`).(string); !strings.Contains(got, "HELD") || !strings.Contains(got, "make room") {
		b.t.Errorf("its row: got %q, want its state and what to do", got)
	}
	changed.Mirrors = changed.Mirrors[1:]
	f.set(changed)
	tab.until("the rows of a mirror that is gone are gone", `document.querySelectorAll("tbody tr").length === 2`)
	if tab.eval(`window.loaded`) != "once" {
		b.t.Error("the page was loaded again, want it kept up to date")
	}
}

// takesOrders clicks, with the page's script and without.
func (b *browser) takesOrders() {
	for _, noScript := range []bool{false, true} {
		f := &fake{status: colourful(time.Now())}
		s := open(b.t, "127.0.0.1:0", f)
		tab := b.open(screen{width: 1400, height: 800, noScript: noScript}, s.URL()+"node?mirror=www&node=/mnt/backup/www/")
		tab.eval(`document.querySelector("button[value=verify]").click()`)
		want := "verify www /mnt/backup/www/"
		for end := time.Now().Add(browserLimit); f.ordered() != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				b.t.Fatalf("a click, script off: %v: got the orders %q, want %q", noScript, f.ordered(), want)
			}
		}
		if noScript {
			tab.until("it is back on the page", `location.pathname === "/node" && !!document.querySelector("h1")`)
		} else {
			tab.until("it says so", `document.getElementById("answer").textContent === "verify /mnt/backup/www/: done"`)
		}
		tab.close()
	}
}

// login shows that a browser which has been given the token has it wherever the
// page asks: for its script, its style, its events and its orders.
func (b *browser) login() {
	f := &fake{status: colourful(time.Now())}
	s := openWith(b.t, "0.0.0.0:0", testToken, f)
	_, port, _ := net.SplitHostPort(s.addr.String())
	tab := b.open(screen{width: 1400, height: 800}, "http://admin:"+testToken+"@127.0.0.1:"+port+"/")
	defer tab.close()
	tab.until("it is live", `document.getElementById("live").textContent.includes("live")`)
	tab.eval(`document.querySelector("button[value=verify]").click()`)
	tab.until("the order was carried out", `document.getElementById("answer").textContent.endsWith(": done")`)
	if got := f.ordered(); !strings.HasPrefix(got, "verify ") {
		b.t.Errorf("a click: got the orders %q, want one", got)
	}
}

func (b *browser) markup() {
	const evil = `<img src=x onerror=pwned=1><script>pwned=1</script>"'&amp;` + "\x1b[2J\u202e\xff"
	n := status.Node{
		Node: evil, State: status.Held, Held: &status.Hold{Reason: evil, Cure: evil}, LastError: new(evil),
		Verification: &status.Verification{Error: new(evil), First: []status.Difference{{Path: evil, Kind: evil}}, Differences: 1},
	}
	f := &fake{
		status: status.Status{Version: evil, Mirrors: []status.Mirror{{Name: evil, WPath: evil, Nodes: []status.Node{n}}}},
		lines:  []nodelog.Line{{Text: visible(evil)}},
	}
	s := open(b.t, "127.0.0.1:0", f)
	tab := b.open(screen{width: 1400, height: 800}, s.URL())
	defer tab.close()
	shown := strconv.Quote(visible(evil))
	tab.until("the name is there as text", firstNode+` === `+shown)
	n.Pending = 7
	changed := f.Status()
	changed.Mirrors = []status.Mirror{{Name: evil, Nodes: []status.Node{n}}}
	f.set(changed)
	tab.until("the row was changed", `document.querySelector("[data-label=Pending]").textContent === "7"`)
	tab.shoot("markup")
	tab.eval(`document.querySelector("tbody th a").click()`)
	tab.until("the link leads to the node", `location.pathname === "/node" && document.querySelector("h1")?.textContent.startsWith(`+shown+`)`)
	tab.until("it is live", `document.getElementById("live").textContent.includes("live")`)
	if n := tab.eval(`document.images.length + document.scripts.length + (window.pwned ? 100 : 0)`); n != 1.0 {
		b.t.Errorf("names became elements: got %v of them and scripts, want the page's own", n)
	}
}

// manyNodes are 200, of which some fail.
func manyNodes() status.Status {
	st := status.Status{Mirrors: []status.Mirror{{Name: "www"}}}
	for i := range 200 {
		n := status.Node{Node: fmt.Sprintf("node%03d.mirror.example.com:/var/www/html/", i), State: status.Success, InSync: true, BytesSent: 1 << 30}
		if i%50 == 49 {
			n.State, n.InSync, n.LagSeconds, n.LastError = status.Failed, false, float64(i), new("no route to host")
		}
		st.Mirrors[0].Nodes = append(st.Mirrors[0].Nodes, n)
	}
	return st
}

func (b *browser) many() {
	s := open(b.t, "127.0.0.1:0", &fake{status: manyNodes()})
	tab := b.open(screen{width: 1400, height: 800}, s.URL())
	defer tab.close()
	tab.until("it is live", `document.getElementById("live").textContent.includes("live")`)
	tab.shoot("many")
	first := tab.eval(`[...document.querySelectorAll("tbody th")].slice(0, 5).map((n) => n.textContent.slice(4, 7)).join(" ")`)
	if first != "199 149 099 049 000" {
		b.t.Errorf("first: got the nodes %v, want those that fail, the worst first", first)
	}
	tab.eval(`document.querySelector("a[href='/?sort=node']").click()`)
	tab.until("a click on a heading sorts", firstNode+`.startsWith("node000") && document.querySelector("[aria-sort]").textContent === "Node"`)
}

// ordered is what was ordered so far.
func (f *fake) ordered() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.orders, "; ")
}

// Text can be read on its background in both schemes: WCAG 2.2, 1.4.3 wants a
// contrast of 4.5.
func TestContrast(t *testing.T) {
	css, err := assets.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(blocks) != 2 {
		t.Fatalf("page.css: got %d schemes, want light and dark", len(blocks))
	}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+): #(\w+);`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, back := range []string{"back", "soft"} {
			for _, text := range []string{"text", "quiet", "link", "good", "work", "bad", "wait"} {
				light, dark := max(colours[back], colours[text]), min(colours[back], colours[text])
				if contrast := (light + 0.05) / (dark + 0.05); contrast < 4.5 {
					t.Errorf("%s: %s on %s: got a contrast of %.1f, want 4.5", scheme, text, back, contrast)
				}
			}
		}
	}
}

// luminance is the relative luminance of a colour, as WCAG defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	rgb, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
		c := float64(rgb>>(8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
