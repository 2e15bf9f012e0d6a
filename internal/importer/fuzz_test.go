package importer

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

func FuzzInosync(f *testing.F) {
	f.Add("wpath = '/a'\nrnodes = {'b': '/c'} # d\nemask = IN_CREATE | IN_DELETE\n")
	f.Add("x = r\"\"\"\\\n\"\"\"\nwpath = \"/a\" 'b'\nrnodes = [(x)] + ['b:' + x,]\nextra = '-avz -e \"ssh -p 1\" --bwlimit 5'\n")
	fuzz(f, Inosync)
}

func FuzzLsyncd(f *testing.F) {
	f.Add("settings{a=1}\nsync{default.rsync, source='/a', target=\"b:/c\", exclude={'d'}, [\"delay\"]=1}\n")
	f.Add("--[==[ ]==]\nlocal a = [[\nb]] .. 'c'\nsync({default.direct; source='/a', target='/b', f=function() if a then end end})")
	fuzz(f, Lsyncd)
}

// fuzz wants an end with YAML that is a map, or with faults.
func fuzz(f *testing.F, read func([]byte, Accepts) (Result, error)) {
	f.Fuzz(func(t *testing.T, text string) {
		result, err := read([]byte(text), func(option string) bool { return len(option)%2 == 0 })
		if err != nil {
			if faults, ok := err.(Faults); !ok || len(faults) == 0 { //nolint:errorlint // it is never wrapped
				t.Errorf("read(%q): got %v, want Faults", text, err)
			}
			return
		}
		var keys map[string]any
		if err := yaml.Unmarshal(result.YAML, &keys); err != nil || len(keys) == 0 {
			t.Errorf("read(%q): got %s, %v, want a map", text, result.YAML, err)
		}
	})
}
