package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"inosyncd/config"
	"inosyncd/internal/manual"
)

var update = flag.Bool("update", false, "write packaging/schema.json anew")

const schemaFile = "../../packaging/schema.json"

func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, &out, &errs); code != exitOK {
		t.Fatalf("run(%q): got exit code %d\n%s", args, code, &errs)
	}
	return out.String()
}

// TestManPages wants every command, flag and key to be in the manual, and
// groff to have nothing to say about it.
func TestManPages(t *testing.T) {
	program := output(t, "man")
	if again := output(t, "man", "inosyncd"); again != program {
		t.Errorf("man and man inosyncd differ")
	}
	seen := 0
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.HasSubCommands() && !strings.Contains(program, `\fB`+sub.CommandPath()) {
				t.Errorf("man: the command %q is missing", sub.CommandPath())
			}
			seen++
			visit(sub)
		}
	}
	visit((&app{}).command())
	if seen < 10 {
		t.Errorf("man: found %d commands to look for, want more", seen)
	}
	for _, want := range []string{`\-d, \-\-daemonize`, `\-\-json`, "EXIT STATUS", `\fB78\fR`, `\fBHUP\fR`, defaultConfig, `"8"`} {
		if !strings.Contains(program, want) {
			t.Errorf("man: no %s", want)
		}
	}
	conf := output(t, "man", "inosync.yaml")
	for _, k := range config.Keys() {
		name := k.Name
		if k.Scope == config.InSSH {
			name = "ssh." + name
		}
		if !strings.Contains(conf, `\fB`+name+`\fR (`) {
			t.Errorf("man inosync.yaml: the key %s is missing", name)
		}
	}
	for name, text := range map[string]string{"inosyncd": program, "inosync.yaml": conf} {
		t.Run(name, func(t *testing.T) { groff(t, text) })
	}
}

// groff formats a page and wants no warning, and no macro left in the text.
func groff(t *testing.T, text string) {
	t.Helper()
	program, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("needs groff")
	}
	cmd := exec.CommandContext(t.Context(), program, "-man", "-Tutf8", "-ww", "-P-c")
	cmd.Stdin = strings.NewReader(text)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("groff: got %v\n%s", err, &errs)
	}
	if macro := regexp.MustCompile(`(?m)^ *\.(PP|TP|SH|SS|nf|fi|br)\b|\\[f&e]`).FindString(out.String()); macro != "" {
		t.Errorf("groff: %q is left in the text", macro)
	}
}

func TestManAndCompletionUsage(t *testing.T) {
	for _, args := range [][]string{
		{"man", "inosync"},
		{"man", "inosyncd", "inosync.yaml"},
		{"completion"},
		{"completion", "tcsh"},
		{"completion", "bash", "zsh"},
	} {
		var out, errs bytes.Buffer
		if code := run(args, &out, &errs); code != exitUsage || out.Len() > 0 {
			t.Errorf("run(%q): got exit code %d, %q, want %d", args, code, &out, exitUsage)
		}
	}
}

// TestCompletion has each shell that is there read its script, and asks the
// program what the scripts ask it.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "fish", "zsh"} {
		script := output(t, "completion", shell)
		if !strings.Contains(script, "__complete") || !strings.Contains(script, "inosyncd") {
			t.Errorf("completion %s: got\n%.200s", shell, script)
		}
		program, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not there to read its script", shell)
			continue
		}
		cmd := exec.CommandContext(t.Context(), program, "-n")
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s -n: %v\n%s", shell, err, out)
		}
	}
	if got := output(t, "__complete", "man", ""); !strings.Contains(got, "inosync.yaml") {
		t.Errorf("__complete man: got %q, want inosync.yaml among them", got)
	}
	if got := output(t, "--help"); !strings.Contains(got, "\n  completion ") || !strings.Contains(got, "\n  man ") {
		t.Errorf("--help: no completion or man in\n%s", got)
	}
}

// TestSchemaFile wants the schema that is shipped to be the one of the keys.
func TestSchemaFile(t *testing.T) {
	want, err := manual.Schema(manualKeys())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the keys make: go test ./cmd/inosyncd -run TestSchemaFile -update", schemaFile)
	}
}

// TestSchemaAgrees gives the same samples to the schema and to the program.
func TestSchemaAgrees(t *testing.T) {
	const one = "wpath: /a\nrnodes: [b]\n"
	for _, tc := range []struct {
		name, text string
		good       bool
	}{
		{"least", one, true},
		{"all node forms", "wpath: /a\nrnodes: [b, 'c@d:/e', 'f::g', 'rsync://h/i', /j/, {target: k, rspeed: 5}, {l: }]\n", true},
		{"values", one + "edelay: 1.5\neopen: 2m\nrspeed: 80Mbit\npush_rate: 30/m\npush_burst: 1\nschedule: '@every 6h'\nlisten: 'localhost:80'\n", true},
		{"units in either case", one + "rspeed: 10m\nrspeed_total: 1Kbit\n", true},
		{"bits or bytes", one + "rspeed: 10MB\n", false},
		{"quoted numbers", one + "edelay: '1'\nrspeed: '500'\npush_rate: '2'\n", true},
		{"events", one + "emask: [IN_CREATE, IN_MOVE]\n", true},
		{"events joined", one + "emask: 'IN_CREATE | IN_DELETE'\n", true},
		{"ssh", one + "ssh: {port: 22, user: u, identity_file: /k, options: [Compression=yes]}\n", true},
		{"empty values", one + "log_file: ''\nschedule: ''\nlisten: ''\nrexcludes: []\nssh: {}\n", true},
		{"mirrors", "edelay: 1\nrnodes: [b]\nmirrors: [{name: x, wpath: /a}, {wpath: /c, rnodes: [d]}]\n", true},
		{"no wpath", "rnodes: [b]\n", false},
		{"no rnodes", "wpath: /a\n", false},
		{"empty rnodes", "wpath: /a\nrnodes: []\n", false},
		{"empty mirrors", "wpath: /a\nrnodes: [b]\nmirrors: []\n", false},
		{"rnodes no list", "wpath: /a\nrnodes: b\n", false},
		{"unknown key", one + "edelya: 1\n", false},
		{"unknown key of ssh", one + "ssh: {prt: 1}\n", false},
		{"unknown key of a node", "wpath: /a\nrnodes: [{target: b, speed: 5}]\n", false},
		{"mirror's key in a node", "wpath: /a\nrnodes: [{target: b, edelay: 5}]\n", false},
		{"top's key in a mirror", "mirrors: [{wpath: /a, rnodes: [b], listen: ':80'}]\n", false},
		{"name above mirrors", "name: x\nmirrors: [{wpath: /a, rnodes: [b]}]\n", false},
		{"node without target", "wpath: /a\nrnodes: [{rspeed: 5}]\n", false},
		{"node without value", "wpath: /a\nrnodes: [{target: }]\n", false},
		{"relative wpath", "wpath: a\nrnodes: [b]\n", false},
		{"empty wpath", "wpath: ''\nrnodes: [b]\n", false},
		{"no value", one + "edelay:\n", false},
		{"boolean word", one + "delete: yes\n", false},
		{"number for text", one + "description: 5\n", false},
		{"text for number", one + "push_burst: many\n", false},
		{"count too small", one + "push_burst: 0\n", false},
		{"fraction", one + "max_armed: 1.5\n", false},
		{"negative", one + "edelay: -1\n", false},
		{"duration without sense", one + "edelay: 5 parsecs\n", false},
		{"rate without sense", one + "rspeed: 5MB\n", false},
		{"pace of nothing", one + "push_rate: 0\n", false},
		{"choice", one + "log_level: loud\n", false},
		{"unknown event", one + "emask: [IN_NONSENSE]\n", false},
		{"event of reading", one + "emask: IN_OPEN\n", false},
		{"no port", one + "listen: localhost\n", false},
		{"control character", one + "description: \"a\\tb\"\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) { agree(t, tc.text, tc.good) })
	}
	for _, k := range config.Keys() {
		if k.Scope&config.InSSH == 0 && k.Default != "" {
			t.Run("default of "+k.Name, func(t *testing.T) { agree(t, one+k.Name+": "+k.Default+"\n", true) })
		}
	}
}

// agree wants the schema and the program to be of the opinion good on text.
func agree(t *testing.T, text string, good bool) {
	t.Helper()
	dir := t.TempDir()
	rsync := filepath.Join(dir, "rsync")
	if err := os.WriteFile(rsync, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "\nrsync: ") {
		text = strings.Replace(text, "/usr/bin/rsync", rsync, 1)
	} else {
		text += "rsync: " + rsync + "\n"
	}
	file := filepath.Join(dir, "inosync.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file); (err == nil) != good {
		t.Errorf("Load(%q): got %v, want good: %t", text, err, good)
	}
	if err := schemaSays(t, text); (err == nil) != good {
		t.Errorf("schema(%q): got %v, want good: %t", text, err, good)
	}
}

func schemaSays(t *testing.T, text string) error {
	t.Helper()
	raw, err := manual.Schema(manualKeys())
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return (&validator{root: root}).check(root, v)
}
