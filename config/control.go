package config

import (
	"io"

	"go.yaml.in/yaml/v3"
)

// ControlOf is the control socket that the configuration in file names, or the
// default, also where the rest of it is faulty: a daemon that keeps its old
// configuration can be asked for its state nevertheless.
func ControlOf(file string) string {
	f, err := openRegular(file)
	if err != nil {
		return DefaultControl()
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, longestRules))
	if err != nil {
		return DefaultControl()
	}
	var c struct {
		Control *string `yaml:"control"`
	}
	if yaml.Unmarshal(content, &c) != nil || c.Control == nil {
		return DefaultControl()
	}
	return *c.Control
}
