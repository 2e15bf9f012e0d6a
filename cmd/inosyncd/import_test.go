package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"inosyncd/config"
)

// imported runs import on text and returns its exit code and what it printed.
func imported(t *testing.T, program, text string) (code int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "foreign")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = run([]string{"import", program, file}, &out, &errs)
	return code, out.String(), strings.ReplaceAll(errs.String(), file, "FILE")
}

// loaded is the configuration that a result makes, with an rsync that is there.
func loaded(t *testing.T, text string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	stubs := []string{"rsync", "password", "excludes"}
	for _, name := range stubs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("stub\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "password"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range stubs {
		text = strings.ReplaceAll(text, "/stub/"+name, filepath.Join(dir, name))
	}
	if !strings.Contains(text, "\nrsync: ") {
		text += "\nrsync: " + filepath.Join(dir, "rsync") + "\n"
	}
	file := filepath.Join(dir, "inosync.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatalf("Load(%s): %v", text, err)
	}
	return cfg
}

func TestImportIsWhatLoadTakes(t *testing.T) {
	for _, tc := range []struct {
		name, program, text string
		want                string // of the YAML, without its comments
		notes               []string
	}{
		{"inosync usual", "inosync", `# directory to watch
wpath = "/var/www/"
rpath = "/srv/www/"
rnodes = [
	"a.example.com:" + rpath,
	'b.example.com:',   # to rpath
	"/mnt/backup/",
]
rexcludes = ["/localhost", "*.swp"]
rspeed = 500
emask = ["IN_CLOSE_WRITE", "IN_CREATE"]
edelay = 10
rsync = "/stub/rsync"
logfile = "/var/log/inosync.log"
extra = "-z --delete-delay -e 'ssh -p 2222' --fuzzy"
`, `wpath: /var/www/
rpath: /srv/www/
rnodes:
  - a.example.com:/srv/www/
  - 'b.example.com:'
  - /mnt/backup/
rexcludes:
  - /localhost
  - '*.swp'
emask:
  - IN_CLOSE_WRITE
  - IN_CREATE
edelay: 10
rspeed: 500
rsync: /stub/rsync
log_file: /var/log/inosync.log
archive: false
perms: true
compress: true
delete: true
ssh:
  port: 2222
rsync_args:
  - --fuzzy
`, nil},
		{"inosync dict and bits", "inosync", `"""Mirrors."""
from pyinotify import *
wpath = "/var/www"
rnodes = {"a": None, "b.example.com": "/srv/www", 'c': ""}
emask = IN_CLOSE_WRITE | \
	pyinotify.IN_MOVED_TO
extra = ["-a", "--remove-source-files"]
colour = "red"
`, `wpath: /var/www
rnodes:
  - a
  - b.example.com:/srv/www
  - c
emask:
  - IN_CLOSE_WRITE
  - IN_MOVED_TO
archive: true
perms: true
`, []string{"FILE:7: not taken over: the rsync option --remove-source-files", "FILE:8: not taken over: colour: inosyncd has no such key"}},
		{"lsyncd usual", "lsyncd", `-- a comment
settings {
	logfile = "/var/log/lsyncd.log",
	statusFile = "/var/run/lsyncd.status",
	maxProcesses = 4,
	insist = true,
}
sync {
	default.rsync,
	source = "/var/www",
	target = "web1:/srv/www",
	delay = 5,
	exclude = { "*.tmp", '/cache' },
	excludeFrom = "/stub/excludes",
	delete = false,
	rsync = {
		archive = true, compress = true, perms = true, owner = false, bwlimit = 2000,
		rsh = "/usr/bin/ssh -p 22022 -i /root/.ssh/id -o StrictHostKeyChecking=no",
		_extra = { "--omit-dir-times", "--inplace" },
	},
}
`, `log_file: /var/log/lsyncd.log
max_parallel: 4
wpath: /var/www/
rnodes:
  - web1:/srv/www
rexcludes:
  - '*.tmp'
  - /cache
rexcludes_from: /stub/excludes
edelay: 5
archive: true
delete: false
compress: true
perms: true
owner: false
rspeed: 2000
ssh:
  port: 22022
  identity_file: /root/.ssh/id
rsync_args:
  - --omit-dir-times
`, []string{
			"FILE:4: not taken over: settings.statusFile: see inosyncd status",
			"FILE:18: not taken over: the ssh option StrictHostKeyChecking=no: make the node's host key known instead",
			"FILE:19: not taken over: the rsync option --inplace",
		}},
		{"lsyncd several", "lsyncd", `settings = { pidfile = "/run/lsyncd.pid" }
local base = "/srv/"
--[[ sync{ default.rsync,
  source = "/no" } ]]
sync{ default.rsyncssh, source = base.."a", host = "h1", targetdir = "/m/a/", ssh = { port = 2222 } }
sync{ default.rsyncssh, source = base .. "a", host = "h2", targetdir = "/m/a/" }
sync{ default.rsync, source = "/other/a", target = "rsync://push@h3/mod/",
  rsync = { password_file = "/stub/password", acls = true, whole_file = true },
  init = false, filter = function(e) return { e } end, delay = 0 }
sync{ default.direct, source = "/srv/c/", target = "/mnt/c/", delete = 'running' }
for _, h in ipairs({"x", "y"}) do
  sync{ default.rsync, source = "/z", target = h .. "::z" }
end
sync{ default.rsync, source = "/srv/d", target = [[h4::d]] };
`, `pid_file: /run/lsyncd.pid
mirrors:
  - name: a
    wpath: /srv/a/
    rnodes:
      - target: h1:/m/a/
        archive: false
        ssh:
          port: 2222
      - target: h2:/m/a/
        archive: false
  - name: a-2
    wpath: /other/a/
    rnodes:
      - rsync://push@h3/mod/
    edelay: 0
    archive: false
    password_file: /stub/password
    acls: true
    rsync_args:
      - --whole-file
  - name: c
    wpath: /srv/c/
    rnodes:
      - /mnt/c/
    archive: false
    delete: false
  - name: d
    wpath: /srv/d/
    rnodes:
      - h4::d
    archive: false
`, []string{
			"FILE:9: not taken over: filter = \"function\", which only running the file could tell",
			"FILE:9: not taken over: sync.init",
			"FILE:10: not taken over: sync.delete = \"running\": nothing is removed now; set delete: true for always",
			"FILE:11: not taken over: \"for\", which only running the file could tell",
		}},
		{"lsyncd apart", "lsyncd", `sync{default.rsync, source="/a", target="b:/a", delay=1}
sync{default.rsync, source="/a", target="c:/a", delay=9}`, `mirrors:
  - name: a
    wpath: /a/
    rnodes:
      - b:/a
    edelay: 1
    archive: false
  - name: a-2
    wpath: /a/
    rnodes:
      - c:/a
    edelay: 9
    archive: false
`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := imported(t, tc.program, tc.text)
			if code != exitOK {
				t.Fatalf("import: got exit code %d, want 0\n%s", code, stderr)
			}
			if got := strings.Join(tc.notes, "\n"); strings.TrimSpace(stderr) != got {
				t.Errorf("import: got notes\n%s\nwant\n%s", stderr, got)
			}
			comments, yaml, _ := strings.Cut(stdout, "\n\n")
			if yaml != tc.want {
				t.Errorf("import: got\n%s\nwant\n%s", yaml, tc.want)
			}
			if got := strings.Count(comments, "\n# not taken over: line "); got != len(tc.notes) {
				t.Errorf("import: got %d notes in comments, want %d:\n%s", got, len(tc.notes), comments)
			}
			loaded(t, stdout)
		})
	}
}

func TestImportFaults(t *testing.T) {
	for _, tc := range []struct{ name, program, text, want string }{
		{"python call", "inosync", "wpath = '/a'\nrnodes = ['b']\nrspeed = int('5')\n", "FILE:3: \"int\" is nothing"},
		{"python block", "inosync", "if True:\n\twpath = '/a'\nrnodes = ['b']\n", "FILE:1: only assignments"},
		{"python open list", "inosync", "wpath = '/a'\nrnodes = ['b',\n", "FILE:3: a value is missing"},
		{"python open string", "inosync", "wpath = '/a\nrnodes = ['b']\n", "FILE:1: a string that cannot be read"},
		{"python wrong type", "inosync", "wpath = 5\nrnodes = ['b']\n", "FILE:1: wpath must be a string"},
		{"python escape", "inosync", "wpath = '/\\x61'\nrnodes = ['b']\n", "FILE:1: a string that cannot be read"},
		{"python nothing", "inosync", "", "FILE:1: wpath is missing"},
		{"python deep", "inosync", "wpath = " + strings.Repeat("[", 5000) + "\n", "nested too deeply"},
		{"python bytes", "inosync", "wpath = '\xff'\n", "FILE:1: the file is not UTF-8"},
		{"python growing", "inosync", "wpath = '/a'\n" + strings.Repeat("wpath = wpath + wpath\n", 100), "too long"},
		{"lua growing", "lsyncd", "a = 'b'\n" + strings.Repeat("a = a .. a\n", 100), "too long"},
		{"lua nothing", "lsyncd", "settings{}\n", "FILE:1: no sync"},
		{"lua no source", "lsyncd", "sync{default.rsync, target='a:/b'}\n", "FILE:1: the whole sync: it has no source"},
		{"lua own layer", "lsyncd", "sync{mine, source='/a', target='a:/b'}\n", "FILE:1: the whole sync: only default.rsync"},
		{"lua open", "lsyncd", "sync{default.rsync, source='/a', target='a:/b'\n", "the file ends within a value"},
		{"lua deep", "lsyncd", "x = " + strings.Repeat("{", 5000) + "\n", "no sync"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := imported(t, tc.program, tc.text)
			if code != exitConfig || stdout != "" || !strings.Contains(stderr, tc.want) {
				t.Errorf("import: got exit code %d, %q, %q, want %d, nothing, %q", code, stdout, stderr, exitConfig, tc.want)
			}
		})
	}
	for _, args := range [][]string{{"import"}, {"import", "rsnapshot"}, {"import", "lsyncd"}, {"import", "inosync", "a", "b"}} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != exitUsage {
			t.Errorf("run(%q): got exit code %d, want %d\n%s", args, code, exitUsage, &errs)
		}
	}
}
