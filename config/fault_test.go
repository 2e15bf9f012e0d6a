package config

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// faultsOf loads text and returns its faults with DIR in place of the
// directory and without the name of the file.
func faultsOf(t *testing.T, text string, prepare func(dir string)) string {
	t.Helper()
	file, dir := write(t, text)
	if prepare != nil {
		prepare(dir)
	}
	c, err := Load(file)
	if err == nil {
		t.Fatalf("Load(%s): got no fault, warnings %v", text, c.Warnings)
	}
	if _, ok := errors.AsType[Faults](err); !ok {
		t.Fatalf("Load(%s): got error of type %T, want Faults", text, err)
	}
	msg := strings.ReplaceAll(err.Error(), file+":", "")
	return strings.ReplaceAll(msg, dir, "DIR")
}

// base completes a case that is about something else.
const base = "wpath: /w\nrnodes: [a]\nrsync: RSYNC\n"

func TestFaultsOfKeys(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"unknown", base + "edelya: 1\n", `4:1: edelya: unknown key (did you mean "edelay"?)`},
		{"unknown, nothing near", base + "colour: red\n", `4:1: colour: unknown key`},
		{"upper case", base + "Edelay: 1\n", `4:1: Edelay: unknown key (did you mean "edelay"?)`},
		{"with a dot", base + "ssh.port: 1\n", `4:1: ssh.port: unknown key`},
		{"merge key", base + "x: &x {}\n<<: *x\n", "4:1: x: unknown key\n5:1: <<: unknown key"},
		{"odd key", base + "? [a]\n: b\n", `4:3: a key must be a plain word`},
		{"control character", base + "\"a\\nb\": 1\n", `4:1: "a\nb": unknown key`},
		{"twice", base + "edelay: 1\nedelay: 2\n", `5:1: edelay: there twice, first in line 4`},
		{"unknown twice", base + "x: 1\nx: 2\n", "4:1: x: unknown key\n5:1: x: there twice, first in line 4"},
		{"in a mirror", "rsync: RSYNC\nmirrors:\n  - wpath: /w\n    rnodes: [a]\n    exclude: []\n", `5:5: exclude: unknown key (did you mean "rexcludes"?)`},
		{"of the top in a mirror", "rsync: RSYNC\nmirrors:\n  - wpath: /w\n    rnodes: [a]\n    listen: x:1\n", `5:5: listen: belongs at the top of the file`},
		{"mirrors in a mirror", "rsync: RSYNC\nmirrors:\n  - wpath: /w\n    rnodes: [a]\n    mirrors: []\n", `5:5: mirrors: belongs at the top of the file`},
		{"target in a mirror", base + "target: x\n", `4:1: target: belongs in an element of rnodes`},
		{"in a node", "wpath: /w\nrsync: RSYNC\nrnodes:\n  - target: a\n    rsped: 1\n", `5:5: rsped: unknown key (did you mean "rspeed"?)`},
		{"of a mirror in a node", "wpath: /w\nrsync: RSYNC\nrnodes:\n  - target: a\n    edelay: 1\n", `5:5: edelay: belongs to the mirror, not to a single node`},
		{"in ssh", base + "ssh:\n  prot: 1\n", `5:3: ssh.prot: unknown key (did you mean "port"?)`},
		{"known elsewhere in ssh", base + "ssh: {listen: 1}\n", `4:7: ssh.listen: unknown key`},
		{"nothing required", "rsync: RSYNC\n", "1:1: rnodes: required: the nodes to mirror to\n1:1: wpath: required: the directory to watch"},
		{"nothing required in a mirror", "rsync: RSYNC\nmirrors:\n  - name: a\n", "3:5: rnodes: required: the nodes to mirror to\n3:5: wpath: required: the directory to watch"},
		{"no target", "wpath: /w\nrsync: RSYNC\nrnodes:\n  - rspeed: 1\n    compress: true\n", `4:5: target: required: the address of the node`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, faultsOf(t, tc.text, nil)); diff != "" {
				t.Errorf("Load: got + want -:\n%s", diff)
			}
		})
	}
}

func TestFaultsOfValues(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"edelay: -1", `4:9: edelay "-1": must not be negative`},
		{"edelay: soon", `4:9: edelay "soon": must be a number of seconds or a duration such as 200ms, 1.5s, 2m`},
		{"edelay: true", `4:9: edelay "true": must be a number of seconds or a duration such as 200ms, 1.5s, 2m`},
		{"edelay: [1]", `4:9: edelay: must be a single value, of type duration`},
		{"edelay:", `4:8: edelay: has no value`},
		{"eopen: ~", `4:8: eopen "~": has no value`},
		{"timeout: 500ms", `4:10: timeout "500ms": must be 1s or more`},
		{"timeout: 0", `4:10: timeout "0": must be 1s or more`},
		{"retry_min: 0", `4:12: retry_min "0": must be more than 0`},
		{"retry_min: 1h", `4:12: retry_min "1h": must not be longer than retry_max, which is 5m0s`},
		{"rspeed: 80Mb", `4:9: rspeed "80Mb": can be bits or bytes: write 80Mbit or, for bytes, 80M`},
		{"rspeed_total: -1", `4:15: rspeed_total "-1": must not be negative`},
		{"push_rate: 0", `4:12: push_rate "0": must be more than 0`},
		{"push_burst: 0", `4:13: push_burst "0": must be 1 or more`},
		{"max_delete: 1.5", `4:13: max_delete "1.5": must be a whole number`},
		{"max_delete: 010", `4:13: max_delete "010": must be a number`},
		{"max_delete: 99999999999", `4:13: max_delete "99999999999": is too large`},
		{`max_parallel: "8"`, `4:15: max_parallel "8": must be a whole number`},
		{"max_parallel: 0", `4:15: max_parallel "0": must be 1 or more`},
		{"delete: yes", `4:9: delete "yes": must be true or false`},
		{"delete: 1", `4:9: delete "1": must be true or false`},
		{`delete: "true"`, `4:9: delete "true": must be true or false`},
		{"name: 2024", `4:7: name "2024": must be a string: put it in quotes`},
		{`name: ""`, `4:7: name: must not be empty`},
		{`name: "a\nb"`, `4:7: name "a\nb": has a control character`},
		{"description: 2024-01-01", `4:14: description "2024-01-01": must be a string: put it in quotes`},
		{"rexcludes: '*.swp'", `4:12: rexcludes "*.swp": must be a list`},
		{"rexcludes:", `4:11: rexcludes: has no value`},
		{"rexcludes: [a, 1, {b: c}]", "4:16: rexcludes \"1\": must be a string: put it in quotes\n4:19: rexcludes: must be a single value, of type list of patterns"},
		{"rexcludes: [a, '']", `4:16: rexcludes: the pattern is empty`},
		{"rsync_args: --numeric-ids", `4:13: rsync_args "--numeric-ids": must be a list`},
		{"emask: [IN_CREATE, IN_FOO]", `4:20: emask "IN_FOO": unknown event "IN_FOO"`},
		{"emask: [CREATE]", `4:9: emask "CREATE": unknown event "CREATE" (did you mean "IN_CREATE"?)`},
		{"emask: IN_CREATE|IN_DELTE", `4:8: emask "IN_CREATE|IN_DELTE": unknown event "IN_DELTE"`},
		{"emask: [IN_OPEN]", `4:9: emask "IN_OPEN": IN_OPEN cannot be used: comparing trees would trigger itself`},
		{"emask: IN_ALL_EVENTS", `4:8: emask "IN_ALL_EVENTS": IN_ALL_EVENTS cannot be used: comparing trees would trigger itself`},
		{"emask: 8", `4:8: emask "8": must be a string: put it in quotes`},
		{"watcher: inotfy", `4:10: watcher "inotfy": must be one of auto, inotify, fsnotify, notify (did you mean "inotify"?)`},
		{"log_level: trace", `4:12: log_level "trace": must be one of debug, info, warn, error`},
		{"reload: on", `4:9: reload "on": must be one of signal, auto`},
		{"schedule: '@sometimes'", `4:11: schedule "@sometimes": must be a cron line, @daily or such as @every 6h: unrecognized descriptor: @sometimes`},
		{"schedule: '@every 10ms'", `4:11: schedule "@every 10ms": must be 1s or more`},
		{"schedule: 0 0 30 2 *", `4:11: schedule "0 0 30 2 *": is a time that never comes`},
		{"schedule: TZ=UTC", `4:11: schedule "TZ=UTC": has a time zone and no schedule`},
		{"listen: 8080", `4:9: listen "8080": must be a string: put it in quotes`},
		{"listen: localhost", `4:9: listen "localhost": must be host:port`},
		{"listen: localhost:http", `4:9: listen "localhost:http": must have a port from 0 to 65535`},
		{"listen: localhost:65536", `4:9: listen "localhost:65536": must have a port from 0 to 65535`},
		{"pid_file: run/x", `4:11: pid_file "run/x": must be an absolute path`},
		{"control: /" + strings.Repeat("x", 107), `4:10: control "/` + strings.Repeat("x", 99) + `"...: must have no more than 107 bytes`},
		{"ssh: /usr/bin/ssh", `4:6: ssh "/usr/bin/ssh": must be a map of keys such as port, identity_file`},
		{"ssh: {port: 65536}", `4:13: ssh.port "65536": must be a port from 1 to 65535`},
		{"ssh: {port: 0}", `4:13: ssh.port "0": must be 1 or more`},
		{"ssh: {identity_file: ~/.ssh/id}", `4:22: ssh.identity_file "~/.ssh/id": must be an absolute path`},
		{"ssh: {options: [Compression=yes, -oForwardAgent=no, -C]}", `4:53: ssh.options "-C": must be as ssh -o takes it, such as Compression=yes`},
		{"mirrors: {}", `4:10: mirrors: must be a list`},
		{"mirrors: []", `4:10: mirrors: must have one mirror or more`},
		{"mirrors: [x]", `4:11: mirrors "x": a mirror must be a map of keys such as name, wpath, rnodes`},
		{"user: no-such-user", `4:7: user "no-such-user": there is no such user`},
	} {
		t.Run(tc.line, func(t *testing.T) {
			if strings.HasPrefix(tc.line, "user:") && os.Geteuid() != 0 {
				t.Skip("needs root, who alone may name another user")
			}
			if diff := cmp.Diff(tc.want, faultsOf(t, base+tc.line+"\n", nil)); diff != "" {
				t.Errorf("Load(%s): got + want -:\n%s", tc.line, diff)
			}
		})
	}
}

func TestFaultsOfFiles(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", "1:1: is empty"},
		{"only a comment", "# wpath: /w\n", "1:1: is empty"},
		{"only a separator", "---\n", "1:1: is empty"},
		{"list", "\n- a\n", "2:1: must be a map of keys such as wpath, rnodes"},
		{"word", "wpath\n", "1:1: must be a map of keys such as wpath, rnodes"},
		{"two documents", base + "---\n" + base, "4:1: a second YAML document; there must be one only"},
		{"not UTF-8", "wpath: /w\nname: caf\xe9\n", "2:10: is not UTF-8"},
		{"NUL", "wpath: /w\nname: \x00\n", "2:7: has the control character 0x0"},
		{"two colons", base + "name: a: b\n", "4:1: YAML: mapping values are not allowed in this context"},
		{"two colons in the first line", "name: a: b\n" + base, "1:1: YAML: mapping values are not allowed in this context"},
		{"wrong indentation", base + "  name: x\n", "4:3: YAML: mapping values are not allowed in this context"},
		{"open bracket", base + "rexcludes: [a\n", "4:1: YAML: did not find expected ',' or ']'"},
		{"open quote", base + "name: \"a\n" + base, "4:1: YAML: found unexpected end of stream"},
		{"wildcard", base + "rexcludes:\n  - *.swp\n", "5:3: YAML: did not find expected alphabetic or numeric character; a value that begins with one of * & ! % @ must be quoted, and tabs do not indent"},
		{"wildcard that could be an alias", base + "rexcludes: [*swp]\n", "4:1: YAML: unknown anchor 'swp' referenced; a value that begins with one of * & ! % @ must be quoted, and tabs do not indent"},
		{"tab", base + "rexcludes:\n\t- a\n", "5:2: YAML: found character that cannot start any token; a value that begins with one of * & ! % @ must be quoted, and tabs do not indent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, faultsOf(t, tc.text, nil)); diff != "" {
				t.Errorf("Load: got + want -:\n%s", diff)
			}
		})
	}
	t.Run("not there", func(t *testing.T) {
		_, err := Load("/no/such/file")
		if want := "/no/such/file: cannot be read: no such file or directory"; err == nil || err.Error() != want {
			t.Errorf("Load: got %v, want %s", err, want)
		}
	})
}

func TestFaultsOfNodes(t *testing.T) {
	for _, tc := range []struct{ name, nodes, want string }{
		{"none", "[]", `3:9: rnodes: must have one node or more`},
		{"no list", "a", `3:9: rnodes "a": must be a list`},
		{"no value", "", `3:8: rnodes: has no value`},
		{"number", "[1]", `3:10: rnodes "1": must be a string: put it in quotes`},
		{"list", "[[a]]", `3:10: rnodes: a node must be a string or a map with target (quote an address that begins with a bracket)`},
		{"relative", "[a/b]", `3:10: rnodes "a/b": a local path must be absolute`},
		{"option", "['-oX=y:/x']", `3:10: rnodes "-oX=y:/x": "-oX=y" is no host name`},
		{"in the long form", "[{target: a/b}]", `3:19: target "a/b": a local path must be absolute`},
		{"no target", "[{target: }]", `3:19: target: has no value`},
		{"password", "['rsync://me:geheim@a/x']", `3:10: rnodes "rsync://me:...@a/x": a password does not belong here: put it in a file and name that with password_file`},
		{"password with odd characters", "['rsync://me:ge:h/e@im@a/x']", `3:10: rnodes "rsync://me:...@a/x": the port must be a number from 1 to 65535`},
		{"blank after the colon", "[c: /x]", `3:10: rnodes "c": not a key of a node; an address with a path has no space after its colon`},
		{"misspelt key", "[rsped: 1]", `3:10: rnodes "rsped": not a key of a node; an address with a path has no space after its colon (did you mean "rspeed"?)`},
		{"twice", "[a, b, 'a:/w/']", `3:16: rnodes "a:/w/": the same node as in line 3`},
		{"itself", "[/w/]", `3:10: rnodes "/w/": the node is inside its own source /w/`},
		{"inside", "[/w/x/y]", `3:10: rnodes "/w/x/y": the node is inside its own source /w/`},
		{"around", "[/]", `3:10: rnodes "/": the source /w/ is inside this node`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := "wpath: /w\nrsync: RSYNC\nrnodes: " + tc.nodes + "\n"
			if diff := cmp.Diff(tc.want, faultsOf(t, text, nil)); diff != "" {
				t.Errorf("Load: got + want -:\n%s", diff)
			}
		})
	}
	if c := mustLoad(t, "wpath: /w\nrsync: RSYNC\nrnodes: [/wx/, /v]\n"); len(c.Mirrors[0].Nodes) != 2 {
		t.Errorf("Load with neighbours of the source: got %v", c.Mirrors[0].Nodes)
	}
}

// What depends on this machine's files.
func TestFaultsOfTheMachine(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		prepare    func(dir string)
		want       string
	}{
		{
			"relative wpath", "wpath: var/www\nrnodes: [a]\nrsync: RSYNC\n", nil,
			`1:8: wpath "var/www": must be an absolute path`,
		},
		{
			"empty wpath", "wpath: ''\nrnodes: [a]\nrsync: RSYNC\n", nil,
			`1:8: wpath: must be an absolute path`,
		},
		{
			"wpath is a file", "wpath: RSYNC\nrnodes: [a]\nrsync: RSYNC\n", nil,
			`1:8: wpath "DIR/rsync": is no directory`,
		},
		{
			"wpath is below a file", "wpath: RSYNC/x\nrnodes: [a]\nrsync: RSYNC\n", nil,
			`1:8: wpath "DIR/rsync/x": is no directory`,
		},
		{
			"rsync not there", "wpath: /w\nrnodes: [a]\nrsync: DIR/none\n", nil,
			`3:8: rsync "DIR/none": is not there: install rsync or name the program here`,
		},
		{
			"rsync not executable", "wpath: /w\nrnodes: [a]\nrsync: DIR/inosync.yaml\n", nil,
			`3:8: rsync "DIR/inosync.yaml": is not executable`,
		},
		{
			"rsync is a directory", "wpath: /w\nrnodes: [a]\nrsync: DIR\n", nil,
			`3:8: rsync "DIR": is no program`,
		},
		{
			"relative rsync", "wpath: /w\nrnodes: [a]\nrsync: rsync\n", nil,
			`3:8: rsync "rsync": must be an absolute path`,
		},
		{
			"node in its source through a link", "wpath: DIR/w\nrnodes: [DIR/link/x/y]\nrsync: RSYNC\n",
			func(dir string) { _ = os.Mkdir(dir+"/w", 0o755); _ = os.Symlink("w", dir+"/link") },
			`2:10: rnodes "DIR/link/x/y": the node is inside its own source DIR/w/`,
		},
		{
			"source is a link into the node", "wpath: DIR/link\nrnodes: [DIR/w]\nrsync: RSYNC\n",
			func(dir string) { _ = os.MkdirAll(dir+"/w/x", 0o755); _ = os.Symlink("w/x", dir+"/link") },
			`2:10: rnodes "DIR/w": the source DIR/link/ is inside this node`,
		},
		{
			"no rules file", base + "rexcludes_from: DIR/none\n", nil,
			`4:17: rexcludes_from "DIR/none": cannot be read: no such file or directory`,
		},
		{
			"rules file is a directory", base + "rexcludes_from: DIR\n", nil,
			`4:17: rexcludes_from "DIR": cannot be read: is no regular file`,
		},
		{
			"rules file is a FIFO", base + "rexcludes_from: DIR/fifo\n",
			func(dir string) { _ = unix.Mkfifo(dir+"/fifo", 0o600) },
			`4:17: rexcludes_from "DIR/fifo": cannot be read: is no regular file`,
		},
		{
			"rules file with a fault", base + "rexcludes_from: DIR/rules\n",
			func(dir string) { _ = os.WriteFile(dir+"/rules", []byte("ok\n\n- \n"), 0o644) },
			`DIR/rules:3:1: rexcludes_from "- ": the pattern is empty`,
		},
		{
			"no password file", base + "password_file: DIR/none\nrexcludes: []\n", nil,
			`4:16: password_file "DIR/none": cannot be read: no such file or directory`,
		},
		{
			"no password file for a daemon", "wpath: /w\nrnodes: ['a::m', b]\nrsync: RSYNC\npassword_file: DIR/none\n", nil,
			`4:16: password_file "DIR/none": cannot be read: no such file or directory`,
		},
		{
			"password file of a node that is no daemon", "wpath: /w\nrsync: RSYNC\nrnodes:\n  - 'a::m'\n  - target: b\n    password_file: DIR/none\n", nil,
			`6:20: password_file "DIR/none": cannot be read: no such file or directory`,
		},
		{
			"password file for all to read", "wpath: /w\nrnodes: ['a::m', 'b::m']\nrsync: RSYNC\npassword_file: DIR/pw\n",
			func(dir string) { _ = os.WriteFile(dir+"/pw", nil, 0o644) },
			`4:16: password_file "DIR/pw": has mode 0644, must have 0600 or 0400`,
		},
		{
			"password file is empty", "wpath: /w\nrnodes: ['a::m']\nrsync: RSYNC\npassword_file: DIR/pw\n",
			func(dir string) { _ = os.WriteFile(dir+"/pw", []byte("\nsecret\n"), 0o600) },
			`4:16: password_file "DIR/pw": must hold 1 to 512 bytes in its first line`,
		},
		{
			"password file is a link", "wpath: /w\nrnodes: ['a::m']\nrsync: RSYNC\npassword_file: DIR/pw\n",
			func(dir string) { _ = os.Symlink("rsync", dir+"/pw") },
			`4:16: password_file "DIR/pw": must not be a symbolic link`,
		},
		{
			"password file is a directory", "wpath: /w\nrnodes: ['a::m']\nrsync: RSYNC\npassword_file: DIR\n", nil,
			`4:16: password_file "DIR": is no regular file`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, faultsOf(t, tc.text, tc.prepare)); diff != "" {
				t.Errorf("Load: got + want -:\n%s", diff)
			}
		})
	}
}

func TestPasswordFile(t *testing.T) {
	const text = "wpath: /w\nrnodes: ['a::m', b]\nrsync: RSYNC\npassword_file: DIR/pw\n"
	for _, mode := range []os.FileMode{0o600, 0o400} {
		file, dir := write(t, text)
		path := filepath.Join(dir, "pw")
		if err := os.WriteFile(path, []byte("geheim\n"), mode); err != nil {
			t.Fatal(err)
		}
		c, err := Load(file)
		if err != nil {
			t.Fatalf("Load with mode %o: got %v", mode, err)
		}
		if nodes := c.Mirrors[0].Nodes; nodes[0].PasswordFile != path || nodes[1].PasswordFile != "" {
			t.Errorf("Load with mode %o: got %+v", mode, nodes)
		}
	}
	t.Run("of another user", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("needs root, to give a file away")
		}
		got := faultsOf(t, text, func(dir string) {
			_ = os.WriteFile(dir+"/pw", nil, 0o600)
			_ = os.Chown(dir+"/pw", 65534, 65534)
		})
		want := `4:16: password_file "DIR/pw": belongs to user 65534, must belong to root or to the user running the daemon`
		if got != want {
			t.Errorf("Load: got %s, want %s", got, want)
		}
	})
}

func TestUserNeedsRoot(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("needs a user other than root")
	}
	if u, err := user.Current(); err == nil {
		file, _ := write(t, base+"user: "+u.Username+"\n")
		if _, err := Load(file); err != nil {
			t.Errorf("Load with the user that runs this: got %v, want no fault", err)
		}
	}
	want := `4:7: user "root": only root can run rsync as another user`
	if got := faultsOf(t, base+"user: root\n", nil); got != want {
		t.Errorf("Load: got %s, want %s", got, want)
	}
}

func TestFaultsOfMirrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{
			"two of one name", "rsync: RSYNC\nmirrors:\n  - {name: a, wpath: /a, rnodes: [h]}\n  - {name: a, wpath: /b, rnodes: [h]}\n",
			`4:12: name "a": a second mirror of this name, the first is in line 3`,
		},
		{
			"two of one derived name", "rsync: RSYNC\nmirrors:\n  - {wpath: /x/a, rnodes: [h]}\n  - {wpath: /y/a, rnodes: [h]}\n",
			`4:5: name "a": a second mirror of this name, the first is in line 3`,
		},
		{
			"name for all", "rsync: RSYNC\nname: x\nmirrors:\n  - {wpath: /x/a, rnodes: [h]}\n  - {wpath: /x/b, rnodes: [h]}\n",
			`2:7: name "x": belongs in the elements of mirrors: no two have the same`,
		},
		{
			"inherited fault, once", "rsync: RSYNC\nedelay: x\nmirrors:\n  - {wpath: /a, rnodes: [h]}\n  - {wpath: /b, rnodes: [h, i]}\n",
			`2:9: edelay "x": must be a number of seconds or a duration such as 200ms, 1.5s, 2m`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, faultsOf(t, tc.text, nil)); diff != "" {
				t.Errorf("Load: got + want -:\n%s", diff)
			}
		})
	}
}

// Values from outside the file are faulty where they were given.
func TestFaultsOfLayers(t *testing.T) {
	t.Setenv("INOSYNCD_EDELAY", "soon")
	file, _ := write(t, base)
	_, err := Load(file, Override{Key: "log_level", Value: "loud", Flag: "--log-level"})
	want := `--log-level: log_level "loud": must be one of debug, info, warn, error
INOSYNCD_EDELAY: edelay "soon": must be a number of seconds or a duration such as 200ms, 1.5s, 2m`
	if err == nil || err.Error() != want {
		t.Errorf("Load: got\n%v, want\n%s", err, want)
	}
}

// All that is wrong is said at once, in the order of the file.
func TestAllFaultsAtOnce(t *testing.T) {
	text, err := os.ReadFile("testdata/faults.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, err = load("faults.yaml", text, nil)
	if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
		t.Errorf("load(faults.yaml): got + want -:\n%s", diff)
	}
}
