package web

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetrics(t *testing.T) {
	golden, err := os.ReadFile("testdata/metrics.golden")
	if err != nil {
		t.Fatal(err)
	}
	c := newCollector(&fake{status: sample()}, Build{"1.2", "abc"})
	want := strings.ReplaceAll(string(golden), "GOVERSION", runtime.Version())
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Errorf("Collect(): %v", err)
	}
	if problems, err := testutil.CollectAndLint(c); err != nil || len(problems) > 0 {
		t.Errorf("Collect(): got %v, %v, want names by Prometheus' rules", problems, err)
	}
	path := regexp.MustCompile(`/var/www`)
	if path.MatchString(want) {
		t.Error("Collect(): got the path of a source, want none in a label")
	}
}

// The alerts and the dashboard ask for metrics that exist.
func TestPackagedMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(newCollector(&fake{status: sample()}, Build{}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range families {
		known[f.GetName()] = true
	}
	for _, name := range []string{"prometheus-alerts.yml", "grafana-dashboard.json"} {
		text, err := os.ReadFile(filepath.Join("../../packaging", name))
		if err != nil {
			t.Fatal(err)
		}
		used := regexp.MustCompile(`\binosyncd_[a-z_]+`).FindAllString(string(text), -1)
		for _, metric := range used {
			if !known[metric] {
				t.Errorf("%s: there is no metric %s", name, metric)
			}
		}
		if len(used) == 0 {
			t.Errorf("%s: found no metric, want some", name)
		}
	}
}

// Prometheus' own tool accepts the rules and the metrics, and the rules raise
// the alerts that they are to raise.
func TestPromtool(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("needs promtool: apt-get install prometheus")
	}
	_, text := ask(t, "GET", open(t, "127.0.0.1:0", &fake{status: sample()}).URL()+"metrics", nil, nil)
	for _, tt := range []struct {
		args  []string
		stdin string
	}{
		{[]string{"check", "rules", "../../packaging/prometheus-alerts.yml"}, ""},
		{[]string{"test", "rules", "testdata/alerts.yml"}, ""},
		{[]string{"check", "metrics"}, text},
	} {
		cmd := exec.CommandContext(t.Context(), promtool, tt.args...)
		cmd.Stdin = strings.NewReader(tt.stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", tt.args, err, out)
		}
	}
}
