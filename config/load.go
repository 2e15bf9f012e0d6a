package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

const envPrefix = "INOSYNCD" // of the variables that stand for keys of the top

// Override is a value from the command line, which goes before all others.
type Override struct {
	Key   string // a scalar key that may stand at the top
	Value string // as it would stand in the file
	Flag  string // where it was given, for messages
}

// Load reads and checks the configuration in file. The error is [Faults] with
// everything that is wrong, also when the file cannot be read.
func Load(file string, overrides ...Override) (*Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, Faults{{File: file, Msg: "cannot be read: " + cause(err)}}
	}
	return load(file, content, overrides)
}

// cause is err without the operation and path of a PathError, which the place
// of a fault has already.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// loader collects what is found while one file is read.
type loader struct {
	file      string
	faults    []Fault
	warnings  []Fault
	defaults  settings   // the table of keys
	passwords []*setting // every password_file that holds for a node
	programs  []Fault    // places of every rsync that can be run
}

func load(file string, content []byte, overrides []Override) (*Config, error) {
	l := &loader{file: file}
	c := &Config{File: file}
	if root := l.document(content); root != nil {
		l.defaults = l.tableDefaults(root, atTop)
		top := &scope{at: root, own: l.layers(l.mapping(root, atTop), overrides)}
		l.fill(c, top, Top)
		if top.find("control") == nil {
			c.Control = DefaultControl()
		}
		c.Mirrors = l.mirrors(top)
		l.checkTop(c, top)
	}
	if len(l.faults) > 0 {
		return nil, Faults(sorted(l.faults))
	}
	c.Warnings, c.Programs = sorted(l.warnings), sorted(l.programs)
	return c, nil
}

// tableDefaults are the settings that hold where nothing else is written.
// What is wrong with them, such as a program that is not installed, is reported
// at n.
func (l *loader) tableDefaults(n *yaml.Node, scopes Scope) settings {
	defaults := settings{}
	for i := range table {
		k := &table[i]
		if k.Scope&scopes == 0 || k.Default == "" {
			continue
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(k.Default), &doc); err != nil {
			panic("the default of " + k.Name + ": " + err.Error())
		}
		value := doc.Content[0]
		value.Line, value.Column = n.Line, n.Column
		defaults[k.Name] = &setting{key: k, node: value}
	}
	return defaults
}

// layers puts flags over INOSYNCD_* variables over the file over the defaults.
// viper decides which of them holds; to it the values are opaque, because it
// would convert them in its own way and lose their places. Only whole keys of
// the top go through it: it would fold the case of anything below and split
// it at dots.
func (l *loader) layers(file settings, overrides []Override) settings {
	v := viper.New()
	v.SetEnvPrefix(envPrefix)
	for i := range table {
		k := &table[i]
		if x := l.defaults[k.Name]; x != nil {
			v.SetDefault(k.Name, x)
		}
		if k.Scope&atTop != 0 && k.Type.scalar() {
			_ = v.BindEnv(k.Name) // fails only without a key
		}
	}
	for name, x := range file {
		_ = v.MergeConfigMap(map[string]any{name: x}) // never fails
	}
	for _, o := range overrides {
		v.Set(o.Key, scalarSetting(o.Key, o.Value, o.Flag))
	}
	all := settings{}
	for _, name := range names(atTop) {
		switch x := v.Get(name).(type) {
		case *setting:
			all[name] = x
		case string: // of a variable
			all[name] = scalarSetting(name, x, envPrefix+"_"+strings.ToUpper(name))
		}
	}
	return all
}

// fill sets the fields of dst that are keys of one of the scopes to what holds
// in s. A faulty value leaves its field as it is.
func (l *loader) fill(dst any, s *scope, scopes Scope) {
	values := map[string]any{}
	for i := range table {
		k := &table[i]
		if k.Scope&scopes == 0 || k.Type.built() {
			continue
		}
		if x := s.find(k.Name); x != nil {
			if v := l.decode(x); v != nil {
				values[k.Name] = v
			}
		}
	}
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{TagName: "key", ErrorUnused: true, Result: dst})
	if err == nil {
		err = d.Decode(values)
	}
	if err != nil { // a mistake of this package, whatever the file says
		panic("the table of keys and " + err.Error())
	}
}
