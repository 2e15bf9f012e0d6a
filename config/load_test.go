package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"inosyncd/delta/rsync/node"
	"inosyncd/internal/change"
	"inosyncd/internal/lab/labtest"
)

// write puts text into a file of a new directory and returns its path. In the
// text, DIR is that directory and RSYNC a program in it.
func write(t *testing.T, text string) (file, dir string) {
	t.Helper()
	dir = labtest.Dir(t) // a short path: what a fault quotes is cut
	program := filepath.Join(dir, "rsync")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "inosync.yaml")
	text = strings.NewReplacer("DIR", dir, "RSYNC", program).Replace(text)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file, dir
}

func mustLoad(t *testing.T, text string, overrides ...Override) *Config {
	t.Helper()
	file, _ := write(t, text)
	c, err := Load(file, overrides...)
	if err != nil {
		t.Fatalf("Load(%s): got faults\n%v", text, err)
	}
	return c
}

const site = `# /etc/inosync.yaml
wpath: /var/www/                  # directory to watch, recursively
rpath: /var/www/                  # path on every node that names none (default: wpath)
rnodes:
  - a.mirror.com                  # a host: rsync over ssh, to rpath
  - deploy@b.mirror.com:/srv/www/ # rsync over ssh, own path
  - c.mirror.com::www/site/       # a module of an rsync daemon
  - rsync://push@d.mirror.com:8873/www/
  - /mnt/backup/www/              # a local directory
  - target: e.mirror.com          # long form: any per-node key
    rspeed: 500
rexcludes:                        # rsync exclude patterns
  - /localhost
  - "*.swp"
emask: [IN_CLOSE_WRITE, IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO, IN_ATTRIB]
edelay: 1                         # seconds; 200ms, 1.5s, 2m are accepted too (default 200ms)
rspeed: 0                         # KiB/s per node, 0 = no limit; 500k, 10M, 80Mbit are accepted too
rsync: RSYNC
`

func TestLoadSite(t *testing.T) {
	c := mustLoad(t, site)
	if len(c.Mirrors) != 1 || len(c.Warnings) != 0 {
		t.Fatalf("Load(site): got %d mirrors, warnings %v, want one mirror and no warning", len(c.Mirrors), c.Warnings)
	}
	m := c.Mirrors[0]
	var nodes []string
	for _, n := range m.Nodes {
		nodes = append(nodes, n.Name)
	}
	want := []string{
		"a.mirror.com:/var/www/", "deploy@b.mirror.com:/srv/www/", "c.mirror.com::www/site/",
		"rsync://push@d.mirror.com:8873/www/", "/mnt/backup/www/", "e.mirror.com:/var/www/",
	}
	if diff := cmp.Diff(want, nodes); diff != "" {
		t.Errorf("Load(site): nodes got + want -:\n%s", diff)
	}
	if got := m.Nodes[5].Rspeed; got != 500<<10 {
		t.Errorf("rspeed of the last node: got %d, want %d", got, 500<<10)
	}
	if m.Name != "www" || m.WPath != "/var/www/" || m.Edelay != time.Second || m.Mask != change.DefaultMask {
		t.Errorf("Load(site): got %+v", m)
	}
	if !m.Rules.Excluded("a/b.swp", false) || !m.Rules.Excluded("localhost", true) || m.Rules.Excluded("a", true) {
		t.Errorf("Load(site): got rules %v", m.Rules.Args())
	}
}

// Everything that nothing is written for.
func TestDefaults(t *testing.T) {
	c := mustLoad(t, "wpath: /srv/www\nrnodes: [a]\nrsync: RSYNC\n")
	want := Config{
		File: c.File, MaxParallel: 8, MaxArmed: 16, Reload: "signal", LogFormat: "text", LogLevel: "info",
		Control:  DefaultControl(),
		Programs: []Fault{{File: c.File, Line: 3, Column: 8, Key: "rsync", Value: filepath.Join(filepath.Dir(c.File), "rsync")}},
		Mirrors: []Mirror{{
			Name: "www", Enabled: true, WPath: "/srv/www/", Recursive: true, Mask: change.DefaultMask,
			Edelay: 200 * time.Millisecond, Eopen: 30 * time.Second, Watcher: "auto", Schedule: "@daily",
			Rsync: filepath.Join(filepath.Dir(c.File), "rsync"),
			Nodes: []Node{{
				Address: node.Address{Kind: node.SSH, Host: "a", Path: "/srv/www/"}, Name: "a:/srv/www/",
				Enabled: true, PushRate: 1, PushBurst: 5, Delete: true, Archive: true, Times: true, Perms: true,
				Owner: true, Group: true, Partial: true, Timeout: time.Minute, RetryMin: time.Second, RetryMax: 5 * time.Minute,
			}},
		}},
	}
	if got, want := c.Mirrors[0].Rules.Args(), []string{"--filter=-p .inosyncd-partial/"}; !slices.Equal(got, want) {
		t.Errorf("rules: got %q, want %q", got, want)
	}
	c.Mirrors[0].Rules = nil
	if diff := cmp.Diff(want, *c); diff != "" {
		t.Errorf("Load: got + want -:\n%s", diff)
	}
}

const everything = `
max_parallel: 3
max_armed: 0
rspeed_total: 80Mbit
reload: auto
pid_file: /run/p
log_file: /var/log/l
log_format: json
log_level: warn
control: DIR/sock
listen: "[::1]:9273"
mirrors:
  - name: one
    wpath: DIR/one
    rpath: /r
    description: text
    enabled: false
    recursive: false
    rexcludes: ["- /a", "+ /b"]
    rexcludes_from: DIR/rules
    emask: IN_MODIFY|IN_MOVE
    edelay: 0
    eopen: 2m
    watcher: fsnotify
    schedule: "@every 6h"
    rsync: RSYNC
    rnodes:
      - target: a
        enabled: false
        push_rate: 30/m
        push_burst: 1
        rspeed: 10M
        delete: false
        max_delete: 7
        archive: false
        times: false
        perms: true
        xattrs: true
        acls: true
        hard_links: true
        sparse: true
        compress: true
        checksum: true
        delay_updates: true
        partial: false
        timeout: 90
        rsync_args: [--numeric-ids]
        ssh: {port: 2222, user: u, identity_file: /k, known_hosts: /h, options: [Compression=yes, -o, A=b, -oC=d, -o E f], command: assh}
        retry_min: 0.5
        retry_max: 1h
`

func TestEveryKey(t *testing.T) {
	file, dir := write(t, everything)
	rules := filepath.Join(dir, "rules")
	if err := os.WriteFile(rules, []byte("# comment\n*.bak\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatalf("Load: got faults\n%v", err)
	}
	if diff := cmp.Diff([]string{file, rules}, c.Files()); diff != "" {
		t.Errorf("Files: got + want -:\n%s", diff)
	}
	m := c.Mirrors[0]
	wantRules := []string{"--exclude=- /a", "--include=+ /b", "--exclude=- *.bak", "--filter=-p .inosyncd-partial/", "--filter=-p .~tmp~/"}
	if diff := cmp.Diff(wantRules, m.Rules.Args()); diff != "" {
		t.Errorf("rules: got + want -:\n%s", diff)
	}
	n := m.Nodes[0]
	c.Mirrors, c.Programs, m.Nodes, m.Rules = nil, nil, nil, nil
	wantConfig := Config{
		File: file, MaxParallel: 3, RspeedTotal: 10_000_000, Reload: "auto", PidFile: "/run/p", LogFile: "/var/log/l",
		LogFormat: "json", LogLevel: "warn", Control: dir + "/sock", Listen: "[::1]:9273",
	}
	wantMirror := Mirror{
		Name: "one", Description: "text", WPath: dir + "/one/", RPath: "/r", RulesFile: rules,
		Mask: unix.IN_MODIFY | unix.IN_MOVED_FROM | unix.IN_MOVED_TO, Eopen: 2 * time.Minute,
		Watcher: "fsnotify", Schedule: "@every 6h", Rsync: filepath.Join(dir, "rsync"),
	}
	wantNode := Node{
		Address: node.Address{Kind: node.SSH, Host: "a", Path: "/r/"}, Name: "a:/r/",
		PushRate: 0.5, PushBurst: 1, Rspeed: 10 << 20, MaxDelete: 7, Perms: true, Xattrs: true, ACLs: true,
		HardLinks: true, Sparse: true, Compress: true, Checksum: true, DelayUpdates: true, Timeout: 90 * time.Second,
		RsyncArgs: []string{"--numeric-ids"}, RetryMin: 500 * time.Millisecond, RetryMax: time.Hour,
		SSH: SSH{Port: 2222, User: "u", IdentityFile: "/k", KnownHosts: "/h", Options: []string{"Compression=yes", "A=b", "C=d", "E f"}, Command: "assh"},
	}
	for _, diff := range []string{cmp.Diff(wantConfig, *c), cmp.Diff(wantMirror, m), cmp.Diff(wantNode, n)} {
		if diff != "" {
			t.Errorf("Load: got + want -:\n%s", diff)
		}
	}
}

func TestInheritance(t *testing.T) {
	c := mustLoad(t, `
rsync: RSYNC
rspeed: 1
edelay: 5
rexcludes: [top]
compress: true
ssh: {port: 1, identity_file: /top}
rnodes: [host]
mirrors:
  - wpath: /one
  - wpath: /two
    rspeed: 2
    edelay: 6
    rexcludes: []
    ssh: {port: 2}
    enabled: false
    rnodes:
      - plain
      - target: long
        rspeed: 3
        compress: false
        ssh: {port: 3, user: me}
`)
	var got []string
	for _, m := range c.Mirrors {
		got = append(got, m.Name+" "+m.Edelay.String()+" "+strings.Join(m.Rules.Args(), ","))
	}
	want := []string{
		"one 5s --exclude=- top,--filter=-p .inosyncd-partial/",
		"two 6s --filter=-p .inosyncd-partial/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mirrors: got + want -:\n%s", diff)
	}
	one, two := c.Mirrors[0].Nodes, c.Mirrors[1].Nodes
	for _, tc := range []struct {
		node     Node
		rspeed   int64
		compress bool
		ssh      SSH
	}{
		{one[0], 1 << 10, true, SSH{Port: 1, IdentityFile: "/top"}},
		{two[0], 2 << 10, true, SSH{Port: 2, IdentityFile: "/top"}},
		{two[1], 3 << 10, false, SSH{Port: 3, IdentityFile: "/top", User: "me"}},
	} {
		if n := tc.node; n.Rspeed != tc.rspeed || n.Compress != tc.compress || !n.Enabled || !cmp.Equal(n.SSH, tc.ssh) {
			t.Errorf("node %s: got %+v, want %+v", n.Name, n, tc)
		}
	}
	if c.Mirrors[1].Enabled {
		t.Errorf("mirror two: got enabled, want not")
	}
}

// inosync's files had hosts with a colon, which YAML reads as maps.
func TestNodeForms(t *testing.T) {
	for _, tc := range []struct{ name, element, want string }{
		{"host", "a.mirror.com", "a.mirror.com:/w/"},
		{"host with its colon", "a.mirror.com:", "a.mirror.com:/w/"},
		{"user and host with its colon", "me@a.mirror.com:", "me@a.mirror.com:/w/"},
		{"map", "{target: 'a:/x'}", "a:/x/"},
		{"quoted IPv6", `"[::1]"`, "[::1]:/w/"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := mustLoad(t, "wpath: /w\nrsync: RSYNC\nrnodes:\n  - "+tc.element+"\n")
			if got := c.Mirrors[0].Nodes[0].Name; got != tc.want {
				t.Errorf("node %s: got %q, want %q", tc.element, got, tc.want)
			}
		})
	}
}

func TestAliases(t *testing.T) {
	c := mustLoad(t, `rsync: RSYNC
mirrors:
  - {name: a, wpath: &path /a, edelay: &wait 3, rnodes: &nodes [&node {target: "h::m", compress: &on true}]}
  - {name: b, wpath: *path, edelay: *wait, rnodes: *nodes}
  - {name: c, wpath: /c, rnodes: [*node, *path], compress: *on}
`)
	b, third := c.Mirrors[1], c.Mirrors[2]
	if b.WPath != "/a/" || b.Edelay != 3*time.Second || b.Nodes[0].Name != "h::m/" || !b.Nodes[0].Compress {
		t.Errorf("mirror b: got %+v", b)
	}
	if len(third.Nodes) != 2 || third.Nodes[0].Name != "h::m/" || third.Nodes[1].Name != "/a/" || !third.Nodes[1].Compress {
		t.Errorf("mirror c: got %+v", third)
	}
}

// Without -a the keys that it implies are off unless they are written.
func TestArchive(t *testing.T) {
	type flags struct{ times, perms, owner, group bool }
	for _, tc := range []struct {
		name, keys string
		want       flags
	}{
		{"as it is", "", flags{true, true, true, true}},
		{"less an owner", "owner: false", flags{true, true, false, true}},
		{"off", "archive: false", flags{true, false, false, false}},
		{"off, with perms", "archive: false\nperms: true", flags{true, true, false, false}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := mustLoad(t, "wpath: /w\nrsync: RSYNC\nrnodes: [a]\n"+tc.keys+"\n").Mirrors[0].Nodes[0]
			if got := (flags{n.Times, n.Perms, n.Owner, n.Group}); got != tc.want {
				t.Errorf("Load(%s): got %v, want %v", tc.keys, got, tc.want)
			}
		})
	}
}

func TestLayers(t *testing.T) {
	t.Setenv("INOSYNCD_EDELAY", "3")
	t.Setenv("INOSYNCD_EMASK", "IN_CREATE|IN_DELETE")
	t.Setenv("INOSYNCD_DESCRIPTION", "123")
	t.Setenv("INOSYNCD_LOG_LEVEL", "warn")
	t.Setenv("INOSYNCD_LOG_FORMAT", "") // as if it were not set
	c := mustLoad(t, "wpath: /w\nrnodes: [a]\nrsync: RSYNC\nedelay: 9\nlog_level: error\nlog_format: json\neopen: 1\n",
		Override{Key: "log_level", Value: "debug", Flag: "--verbose"})
	m := c.Mirrors[0]
	if m.Edelay != 3*time.Second || m.Eopen != time.Second || m.Description != "123" || m.Mask != unix.IN_CREATE|unix.IN_DELETE {
		t.Errorf("Load: got %+v", m)
	}
	if c.LogLevel != "debug" || c.LogFormat != "json" {
		t.Errorf("Load: got %+v", c)
	}
}

// changed is the site's mirror with one of its keys at the top given another
// value.
func changed(t *testing.T, line string) Mirror {
	t.Helper()
	key, _, _ := strings.Cut(line, ":")
	lines := slices.DeleteFunc(strings.SplitAfter(site, "\n"), func(line string) bool {
		return strings.HasPrefix(line, key+":") || key == "rexcludes" && strings.Contains(line, "localhost") || key == "rexcludes" && strings.Contains(line, "swp")
	})
	return mustLoad(t, strings.Join(lines, "")+line+"\n").Mirrors[0]
}

func TestSameSource(t *testing.T) {
	base := mustLoad(t, site).Mirrors[0]
	if moved := mustLoad(t, "\n\n"+site).Mirrors[0]; !base.SameSource(moved) {
		t.Errorf("SameSource: got false for the same mirror two lines further down")
	}
	for line, want := range map[string]bool{
		"rexcludes: [x]": false, "edelay: 2": false, "eopen: 7": false, "emask: [IN_CREATE]": false,
		"recursive: false": false, "watcher: notify": false, "wpath: /elsewhere": false,
		"name: x": true, "description: x": true, "schedule: '@hourly'": true, "compress: true": true,
		"rpath: /elsewhere": true, "max_delete: 7": true,
	} {
		if got := base.SameSource(changed(t, line)); got != want {
			t.Errorf("SameSource with %s: got %v, want %v", line, got, want)
		}
	}
}

func TestSameCopy(t *testing.T) {
	base := mustLoad(t, site).Mirrors[0].Nodes[0]
	for line, want := range map[string]bool{
		"push_rate: 7": true, "push_burst: 7": true, "rspeed: 7": true, "max_delete: 7": true,
		"timeout: 7": true, "retry_min: 7": true, "retry_max: 700": true,
		"compress: true": false, "delete: false": false, "rsync_args: [--fsync]": false,
		"ssh: {port: 7}": false, "rpath: /elsewhere": false, "checksum: true": false,
	} {
		other := changed(t, line).Nodes[0]
		if got := base.SameCopy(other); got != want || base.Equal(other) {
			t.Errorf("SameCopy, Equal with %s: got %v, %v, want %v, false", line, got, base.Equal(other), want)
		}
	}
}

func TestWarnings(t *testing.T) {
	file, dir := write(t, `rsync: RSYNC
mirrors:
  - {name: a, wpath: /a, rnodes: ["h:/x"], rexcludes: [./never]}
  - {name: b, wpath: /b, rnodes: ["h:/x/"], emask: []}
  - name: c
    wpath: /c
    rnodes: ["a::m", {target: /x, password_file: DIR/pw}]
  - {name: d, wpath: /d, rnodes: ["localhost:/d/x", "u@[::1]:/", "127.0.0.1:/e", "other:/d"]}
`)
	if err := os.WriteFile(dir+"/pw", []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatalf("Load: got faults\n%v", err)
	}
	want := `DIR/inosync.yaml:3:3: mirrors: "a" and "b" both write to h:/x/ and would undo each other
DIR/inosync.yaml:3:56: rexcludes "./never": can never match
DIR/inosync.yaml:4:52: emask: no event starts a sync
DIR/inosync.yaml:7:50: password_file "DIR/pw": no node here is an rsync daemon: only those have a password
DIR/inosync.yaml:8:35: rnodes "localhost:/d/x": if the host is this machine, the node and its own source /d/ lie one in the other
DIR/inosync.yaml:8:53: rnodes "u@[::1]:/": if the host is this machine, the node and its own source /d/ lie one in the other`
	if diff := cmp.Diff(strings.ReplaceAll(want, "DIR", dir), Faults(c.Warnings).Error()); diff != "" {
		t.Errorf("Warnings: got + want -:\n%s", diff)
	}
}
