package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"inosyncd/delta/rsync/process"
)

// version and commit are set by the linker (-X main.version=…); a plain build
// takes what the Go tool has recorded.
var version, commit string

// programVersion is the version and the commit that the program was built from.
func programVersion() (string, string) {
	v, c := version, commit
	info, ok := debug.ReadBuildInfo()
	if ok && v == "" {
		v = strings.Trim(info.Main.Version, "()")
	}
	if ok && c == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				c = s.Value
			}
		}
	}
	if v == "" {
		v = "devel"
	}
	if c == "" {
		c = "unknown"
	}
	return v, c
}

// version prints the versions that matter for a report. The rsync is the
// configured one where there is a configuration, else the usual.
func (a *app) version(ctx context.Context) error {
	program := "/usr/bin/rsync"
	if cfg, err := a.load(); err == nil && len(cfg.Mirrors) > 0 {
		program = cfg.Mirrors[0].Rsync
	}
	found, err := process.Version(ctx, program)
	if err != nil {
		found = "not found (" + printable(err.Error()) + ")"
	} else {
		found += " (" + program + ")"
	}
	v, c := programVersion()
	_, err = fmt.Fprintf(a.stdout, "inosyncd %s\ncommit %s\n%s %s/%s\nrsync %s\n",
		v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH, found)
	return err
}
