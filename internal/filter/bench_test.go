package filter

import "testing"

// benchRules are twenty rules as they are found in real configurations.
var benchRules = []string{
	"/localhost", "*.swp", "*.swo", "*~", ".git/", "node_modules/", "/var/cache/***", "*.tmp", ".#*", "#*#", "/tmp/", "__pycache__/",
	"*.py[cod]", "/sites/*/files/private/", "**/cache/**/*.bin", "Thumbs.db", "._*", "+ /logs/keep.log", "/logs/*", "core.[0-9]*",
}

var benchPaths = []string{
	"index.html",
	"sites/example.org/public/images/2024/07/photo-0042.jpg",
	"wp-content/plugins/some-plugin/includes/class-admin-settings.php",
	"data/very-long-directory-name/with-another-one/and/a/few/short/ones/file.with.dots.txt",
}

func BenchmarkMatch(b *testing.B) {
	rules := mustParse(b, benchRules...)
	for _, path := range benchPaths {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if rules.Match(path, false) {
					b.Fatal("excluded")
				}
			}
		})
	}
}

func BenchmarkExcluded(b *testing.B) {
	rules := mustParse(b, benchRules...)
	for b.Loop() {
		for _, path := range benchPaths {
			if rules.Excluded(path, false) {
				b.Fatal("excluded")
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	lines := text(benchRules...)
	for b.Loop() {
		if _, err := Parse(lines); err != nil {
			b.Fatal(err)
		}
	}
}
