package rsync

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"inosyncd/delta/rsync/node"
)

func TestParseItem(t *testing.T) {
	tests := []struct {
		line string
		want string // what|name, "" when it is no item
	}{
		{"<f+++++++++|a/b|12|45", "<f+++++++++|a/b"},
		{">f.st......|a|b|c|3|46", ">f.st......|a|b|c"},
		{".d..t......|./|4096|0", ".d..t......|"},
		{"cd+++++++++|a b/|4096|0", "cd+++++++++|a b"},
		{"*deleting  |p/gone|0|0", "*deleting  |p/gone"},
		{`<f+++++++++|new\#012line|1|2`, "<f+++++++++|new\nline"},
		{`<f+++++++++|\#134#012|1|2`, `<f+++++++++|\#012`},
		{`<f+++++++++|\#12|1|2`, `<f+++++++++|\#12`},
		{`<f+++++++++|\#777|1|2`, `<f+++++++++|\#777`},
		{"<f+++++++++|x||2", ""},
		{"<f+++++++++|x|-1|2", ""},
		{"<f+++++++++|2", ""},
		{"IO error encountered -- skipping file deletion", ""},
		{"Total bytes sent: 5", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got := ""
		if it, ok := parseItem(tt.line); ok {
			got = it.what + "|" + it.name
		}
		if got != tt.want {
			t.Errorf("parseItem(%q): got %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestParseProgress(t *testing.T) {
	for line, want := range map[string]string{
		"         32,768   3%  1.00MB/s    0:00:01":                     "3 32768 true",
		"      1048576 100%    9.09MB/s    0:00:00 (xfr#1, to-chk=0/2)": "100 1048576 true",
		"      1048576 101%    9.09MB/s    0:00:00":                     "0 0 false",
		"x 1% y z":                            "0 0 false",
		"Number of files: 4 (reg: 1, dir: 3)": "0 0 false",
	} {
		percent, bytes, ok := parseProgress(line)
		if got := fmt.Sprint(percent, bytes, ok); got != want {
			t.Errorf("parseProgress(%q): got %s, want %s", line, got, want)
		}
	}
}

func TestProgress(t *testing.T) {
	var last int
	var most int64
	n := newNode(t, "daemon", func(o *Options) {
		o.Progress = func(percent int, bytes int64) { last, most = percent, max(most, bytes) }
	})
	n.write("f="+strings.Repeat("x", 1<<20), "g")
	res := n.must(set("a "))
	if last != 100 || most < 1<<20 {
		t.Errorf("Progress: got %d %%, %d bytes, want 100 and %d", last, most, 1<<20)
	}
	if res.Bytes < 1<<20 || res.Paths != 1 || res.Took <= 0 {
		t.Errorf("Push: got %d bytes, %d paths, took %v", res.Bytes, res.Paths, res.Took)
	}
	n.equal()
}

func TestLines(t *testing.T) {
	var got []string
	l := lines{take: func(s string) bool { got = append(got, s); return !strings.HasPrefix(s, "note") }}
	for _, part := range []string{"a\nb", "c\r\nnote 1\n", "\n\n", strings.Repeat("x", maxLine), "x\ny\n", "note 2"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write: got %d, %v", n, err)
		}
	}
	l.end()
	if want := []string{"a", "bc", "note 1", "y", "note 2"}; !slices.Equal(got, want) {
		t.Errorf("lines: got %q, want %q", got, want)
	}
	if want := []string{"note 1", "note 2"}; !slices.Equal(l.notes, want) || !l.excess {
		t.Errorf("notes: got %q, excess %v; want %q, true", l.notes, l.excess, want)
	}
	for range 2 * maxNotes {
		_, _ = l.Write([]byte("note\n"))
	}
	if len(l.notes) != maxNotes {
		t.Errorf("notes kept: got %d, want %d", len(l.notes), maxNotes)
	}
}

// A record of progress is told when it comes, not when the next one does; of all
// else only whole lines are.
func TestProgressIsToldAtOnce(t *testing.T) {
	var shares []int
	var others []string
	l := lines{take: func(s string) bool {
		percent, _, ok := parseProgress(s)
		if ok {
			shares = append(shares, percent)
		} else {
			others = append(others, s)
		}
		return true
	}}
	for _, tt := range []struct {
		part string
		want int // the share that is told by then
	}{
		{"\r      6,717,440  22%    5.86MB/s    0:00:03  ", 22},
		{"\r     13,205,504  44%    5.8", 22},
		{"6MB/s    0:00:02  ", 44},
		{"\r     19,693,568  6", 44},
		{"5%    5.82MB/s    0:00:01  ", 65},
		{"\r     30,000,000 100%    5.90MB/s    0:00:04 (xfr#1, to-chk=0/2)\n>f+++++++++|a 1 2%", 100},
		{" 3 4|1|2\n   5 6% 7 8", 100},
		{"\n", 6},
	} {
		_, _ = l.Write([]byte(tt.part))
		if len(shares) == 0 || shares[len(shares)-1] != tt.want {
			t.Errorf("after %q: got %d%% told, want %d%% at the end", tt.part, shares, tt.want)
		}
	}
	if want := []string{">f+++++++++|a 1 2% 3 4|1|2"}; !slices.Equal(slices.DeleteFunc(others, func(s string) bool { return strings.HasPrefix(s, " ") }), want) {
		t.Errorf("other lines: got %q, want %q", others, want)
	}
}

func TestList(t *testing.T) {
	if got, want := string(list([]string{"", "#a", "b/ c\n"})), ".\x00./#a\x00./b/ c\n\x00"; got != want {
		t.Errorf("list: got %q, want %q", got, want)
	}
	got := strings.Split(strings.TrimSuffix(string(removals([]string{"a/b", "a/x*", `\`})), "\x00"), "\x00")
	want := []string{
		"+ /a/", "+ /a/b", "+ /a/b/***", `+ /a/x\*`, `+ /a/x\*/***`, `+ /\`, `+ /\\/***`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("removals: got %q, want %q", got, want)
	}
}

// rsync splits -e back into the words that were quoted.
func TestQuoting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	show := filepath.Join(dir, "show args")
	program(t, show, `for a in "$@"; do printf '%s\0' "$a"; done >'`+dir+`/args'`)
	words := []string{"plain", "", "two words", "it's", `"quoted"`, `'"`, `back\slash`, "$(id)", "tab\there", "''", " ", "%h", "a=b"}
	n := newNode(t, "local", func(o *Options) {
		o.Address = node.Address{Kind: node.SSH, Host: "host", Path: "/x/"}
		o.SSH = SSHOptions{Command: show, Options: words, User: "me", Port: 22}
	})
	n.Push(t.Context(), set("i "))
	data, err := os.ReadFile(dir + "/args")
	n.do(err)
	got := strings.Split(string(data), "\x00")
	for i, w := range words {
		if 2*i+1 >= len(got) || got[2*i] != "-o" || got[2*i+1] != w {
			t.Fatalf("arguments: got %q, want -o before each of %q", got, words)
		}
	}
	rest := strings.Join(got[2*len(words):], " ")
	for _, part := range []string{"-o BatchMode=yes", "-o StrictHostKeyChecking=yes", "-p 22", "-l me", " host rsync --server"} {
		if !strings.Contains(rest, part) {
			t.Errorf("arguments: got %q, want %q in it", rest, part)
		}
	}
}

// What rsync is started with, and what it gets of the environment.
func TestEnvironment(t *testing.T) {
	t.Setenv("RSYNC_RSH", "/bin/false")
	t.Setenv("RSYNC_PASSWORD", "daemon's own")
	t.Setenv("SSH_AUTH_SOCK", "/agent")
	t.Setenv("HOME", "/home")
	for kind, want := range map[node.Kind]string{
		node.Local:  "PATH LC_ALL",
		node.SSH:    "PATH LC_ALL SSH_AUTH_SOCK",
		node.Daemon: "PATH LC_ALL RSYNC_PASSWORD=",
	} {
		n := newNode(t, "local", func(o *Options) { o.Address = node.Address{Kind: kind, Host: "h", Path: "/x/"} })
		s, err := n.prepare(mode{})
		n.do(err)
		var got []string
		for _, v := range s.env {
			name, value, _ := strings.Cut(v, "=")
			if name == "RSYNC_PASSWORD" {
				name += "=" + value
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("environment of kind %d: got %q, want %q", kind, got, want)
		}
		if !s.attr.Setsid {
			t.Errorf("kind %d: rsync has no session of its own", kind)
		}
	}
}

func TestOptions(t *testing.T) {
	none := options(&Options{}, nil)
	for _, flag := range []string{"--perms", "--owner", "--group", "-D", "--times", "--compress", "--hard-links"} {
		if slices.Contains(none, flag) {
			t.Errorf("options of nothing: got %q among %q", flag, none)
		}
	}
	got := options(&Options{
		Archive: true, Times: true, Perms: true, Owner: true, Group: true, Xattrs: true, ACLs: true, HardLinks: true,
		Sparse: true, Compress: true, DelayUpdates: true, Partial: true,
		Timeout: 1500 * time.Millisecond, Bandwidth: 1, Args: []string{"--fuzzy"},
		Address: node.Address{Kind: node.Daemon},
	}, nil)
	for _, flag := range []string{
		"-D", "--times", "--perms", "--owner", "--group", "--xattrs", "--acls", "--hard-links", "--sparse", "--compress",
		"--delay-updates", "--partial-dir=.inosyncd-partial", "--bwlimit=1", "--fuzzy", "--modify-window=-1",
		"--sockopts=TCP_NODELAY", "--contimeout=10",
	} {
		if !slices.Contains(got, flag) {
			t.Errorf("options: got %q, want %q among them", got, flag)
		}
	}
}

func TestTimeout(t *testing.T) {
	for kind, want := range map[node.Kind]string{node.Local: "--timeout=2 32s", node.SSH: "--timeout=2 32s", node.Daemon: " 2s"} {
		n := newNode(t, "local", func(o *Options) {
			o.Address = node.Address{Kind: kind, Host: "h", Path: "/x/"}
			o.Timeout = 2 * time.Second
		})
		has := func(m mode) string {
			i := slices.Index(n.arguments(m), "--timeout=2")
			return map[bool]string{true: "--timeout=2"}[i >= 0] + " " + n.idle(m).String()
		}
		if got := has(mode{delete: true}); got != want {
			t.Errorf("arguments of a list, kind %d: got %q, want %q", kind, got, want)
		}
		if got, want := has(mode{whole: true}), "--timeout=2 32s"; got != want {
			t.Errorf("arguments of a whole tree, kind %d: got %q, want %q", kind, got, want)
		}
	}
}

func TestPassword(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", "pass word\nmore\n", 0o600)
	if err := os.Symlink(good, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if got, err := readPassword(good); got != "pass word" || err != nil {
		t.Errorf("readPassword: got %q, %v", got, err)
	}
	for name, path := range map[string]string{
		"group can read": file("group", "p", 0o640),
		"others can":     file("others", "p", 0o604),
		"executable":     file("exec", "p", 0o700),
		"empty":          file("empty", "\np", 0o600),
		"too long":       file("long", strings.Repeat("p", maxPassword+1), 0o600),
		"link":           dir + "/link",
		"directory":      dir,
		"missing":        dir + "/missing",
	} {
		if got, err := readPassword(path); err == nil {
			t.Errorf("readPassword of a file that is wrong (%s): got %q, want an error", name, got)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(good, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if got, err := readPassword(good); err == nil {
			t.Errorf("readPassword of a stranger's file: got %q, want an error", got)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("<f+++++++++|a\\#012b|12|45\nTotal bytes sent: 5\n  1 5% x y\rrest"))
	f.Add([]byte("rsync: [sender] opendir \"/s/r/\\#056\\#056/x\" failed: x\nfile has vanished: \"/s/r/f\"\n"))
	f.Add([]byte("rsync: [x] \"/../m/x\" (in m)\nERROR: ../x failed verification -- update discarded.\n*deleting  |/|0|0"))
	// Of rsync 3.5.0, with --stats and --info=progress2.
	f.Add([]byte(".d..t......|./|4096|0\n\r              2  33%    0.00kB/s    0:00:00 (xfr#1, to-chk=4/6)\n>f+++++++++|a|2|45\n" +
		"cL+++++++++|l|1|0\n>f+++++++++|new\\#012line|1|44\n*deleting  |a|0|0\n\nNumber of files: 6 (reg: 3, dir: 2, link: 1)\n" +
		"Total bytes sent: 294\nsent 294 bytes  received 87 bytes  762.00 bytes/sec\ntotal size is 6  speedup is 0.02\n"))
	f.Add([]byte("rsync: [sender] link_stat \"/s/r/gone\" failed: No such file or directory (2)\n" +
		"rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]\n"))
	f.Add([]byte("rsync: [receiver] mkstemp \"/n/d/.big.aB3xYz\" failed: Permission denied (13)\n" +
		"rsync: [generator] delete_file: rmdir(\"x\") failed: Directory not empty (39)\nIO error encountered -- skipping file deletion\n" +
		"rsync: write failed on \"/n/d/big\": No space left on device (28)\nrsync error: error in file IO (code 11) at receiver.c(381) [receiver=3.2.7]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		bl := blame{source: "/s/r/", node: "/n/d/", module: "m/"}
		l := lines{take: func(line string) bool {
			_, _ = parseSent(line)
			_, _, _ = parseProgress(line)
			it, ok := parseItem(line)
			if ok && len(it.what) != whatLen {
				t.Errorf("parseItem(%q): got %q", line, it.what)
			}
			return ok
		}}
		_, _ = l.Write(data)
		l.end()
		for _, note := range l.notes {
			bl.read(note)
		}
		for _, name := range slices.Concat(bl.names, bl.gone) {
			if strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") {
				t.Errorf("read(%q): got the name %q", l.notes, name)
			}
		}
	})
}
