package node

import (
	"strings"
	"testing"
)

func TestCheckArgs(t *testing.T) {
	for _, args := range [][]string{
		nil,
		{"--numeric-ids"},
		{"-W"},
		{"-yOJ"},
		{"--chmod=D755,F644"},
		{"--rsync-path=sudo rsync"},
		{"-M--fake-super"},
		{"-B8192"},
		{"--remote-option=--fake-super"},
		{"--compress-choice=zstd", "--compress-level=3"},
	} {
		if err := CheckArgs(args); err != nil {
			t.Errorf("CheckArgs(%q): got %v", args, err)
		}
	}
	for arg, use := range map[string]string{
		"": "no rsync option", "-": "", "--": "", "/etc": "one element", "host:": "", "--=x": "",
		"--delete": "use delete", "--delete-excluded": "use delete", "--del": "use delete", "--delete-after": "use delete",
		"--no-delete": "use delete", "--remove-source-files": "", "--dry-run": "use -p", "-n": "use -p", "-Wn": "use -p", "-yWn": "",
		"--files-from=x": "", "--from0": "", "-0": "", "--daemon": "", "--server": "", "--sender": "", "--config=x": "",
		"--out-format=x": "", "--log-file=x": "", "-e": "use ssh", "-essh": "use ssh", "--rsh=ssh": "use ssh",
		"--bwlimit=1": "use rspeed", "--inplace": "", "--append": "", "-R": "", "--relative": "", "-r": "use recursive", "--no-r": "use recursive",
		"--exclude=x": "use rexcludes", "--filter=x": "use rexcludes", "-f- x": "use rexcludes", "-F": "use rexcludes", "-C": "",
		"--include-from=x": "use rexcludes", "--partial-dir=x": "use partial", "-P": "use partial", "-h": "", "--help": "", "-V": "", "-v": "",
		"--no-perms": "use perms", "--no-p": "use perms", "-a": "use archive", "-z": "use compress", "--timeout=1": "use timeout",
		"--password-file=x": "use password_file", "--max-delete=1": "use max_delete", "--existing": "", "-u": "", "-L": "", "-K": "", "-x": "",
		"--ignore-errors": "", "--force": "", "--modify-window=1": "", "--size-only": "", "--backup": "", "-b": "", "--temp-dir=/x": "",
		"--chmod": "one element", "-B": "one element", "-M--log-file=/x": "other end", "-M": "one element", "--fuzzy=1": "no value",
		"--iconv=x": "", "--stats": "", "--info=x": "", "-q": "", "-i": "", "-s": "", "--numeric": "", "--chm=x": "", "-W\x00": "control", "--usermap=*:a\nb": "control", "--no-implied-dirs": "",
		"--password-fil=x": "", "-W-n": "",
	} {
		err := CheckArgs([]string{"--fuzzy", arg})
		if err == nil || !strings.Contains(err.Error(), use) {
			t.Errorf("CheckArgs(%q): got %v, want an error with %q", arg, err, use)
		}
	}
}

func FuzzCheckArgs(f *testing.F) {
	f.Add("-yO")
	f.Add("--chmod=x")
	f.Fuzz(func(t *testing.T, arg string) {
		if err := CheckArgs([]string{arg}); err == nil && !strings.HasPrefix(arg, "-") {
			t.Errorf("CheckArgs(%q): got no error", arg)
		}
	})
}
