package manual

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"inosyncd/internal/change"
)

// object is a JSON object. encoding/json writes its keys in the order of the
// alphabet.
type object = map[string]any

// Schema returns the JSON schema (draft 7, which editors know) of the
// configuration. It refuses only what the program refuses too; what depends on
// the machine or on several values at once only the program finds.
func Schema(keys []Key) ([]byte, error) {
	top, errTop := properties(keys, AtTop|AtMirror|AtNode)
	mirror, errMirror := properties(keys, AtMirror|AtNode)
	node, errNode := properties(keys, AtNode|InNode)
	ssh, errSSH := properties(keys, InSSH)
	if err := errors.Join(errTop, errMirror, errNode, errSSH); err != nil {
		return nil, err
	}
	schema := closed(top)
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	schema["title"] = "configuration of inosyncd"
	schema["anyOf"] = []any{
		object{"required": []string{"mirrors"}, "not": object{"required": []string{"name"}}},
		object{"required": []string{"rnodes", "wpath"}, "not": object{"required": []string{"mirrors"}}},
	}
	long := closed(node)
	long["required"] = []string{"target"}
	schema["definitions"] = object{
		"mirror": closed(mirror),
		"node":   object{"anyOf": []any{object{"type": "string", "minLength": 1}, long, hostAlone(node)}},
		"ssh":    closed(ssh),
	}
	text, err := json.MarshalIndent(schema, "", "  ")
	return append(text, '\n'), err
}

// closed is a map that has these keys and no others.
func closed(properties object) object {
	return object{"type": "object", "properties": properties, "additionalProperties": false}
}

// hostAlone is a node that is written with a colon behind its host, which to
// YAML is a map of the host with no value.
func hostAlone(node object) object {
	var names []any
	for _, name := range slices.Sorted(maps.Keys(node)) {
		names = append(names, object{"required": []string{name}})
	}
	return object{
		"type": "object", "minProperties": 1, "maxProperties": 1,
		"additionalProperties": object{"type": "null"},
		"not":                  object{"anyOf": names},
	}
}

// properties are the keys that may stand at one of the places.
func properties(keys []Key, places Place) (object, error) {
	all := object{}
	for _, k := range keys {
		if k.Place&places == 0 {
			continue
		}
		p, err := property(k)
		if err != nil {
			return nil, err
		}
		p["description"] = k.Meaning + ". " + k.byDefault() + "."
		all[k.Name] = p
	}
	return all, nil
}

const decimal = `([0-9]+\.?[0-9]*|\.[0-9]+)`

// forms are the texts that the types take beside or instead of numbers.
var forms = map[string]string{
	"string":        `^[^\x00-\x1f\x7f]*$`,
	"absolute path": `^(/[^\x00-\x1f\x7f]*)?$`,
	"schedule":      `^[^\x00-\x1f\x7f]*$`,
	"host:port":     `^(.*:[0-9]{1,5})?$`,
	"duration":      `^(` + decimal + `|(` + decimal + `(ns|us|µs|μs|ms|s|m|h))+)$`,
	"rate":          `^` + decimal + `([kKmMgG]([bB][iI][tT])?)?$`,
	"pace":          `^` + decimal + `(/[smh])?$`,
}

func property(k Key) (object, error) {
	form := forms[k.Type]
	switch k.Type {
	case "string", "schedule", "host:port", "absolute path":
		return text(k, form), nil
	case "duration", "rate":
		return object{"type": []string{"number", "string"}, "minimum": 0, "pattern": form}, nil
	case "pace":
		return object{"type": []string{"number", "string"}, "exclusiveMinimum": 0, "pattern": form}, nil
	case "boolean":
		return object{"type": "boolean"}, nil
	case "integer":
		return object{"type": "integer", "minimum": k.Min, "maximum": 1<<31 - 1}, nil
	case "list of strings", "list of patterns":
		return object{"type": "array", "items": object{"type": "string"}}, nil
	case "list of events":
		return events(), nil
	case "list of nodes":
		return object{"type": "array", "minItems": 1, "items": object{"$ref": "#/definitions/node"}}, nil
	case "list of mirrors":
		return object{"type": "array", "minItems": 1, "items": object{"$ref": "#/definitions/mirror"}}, nil
	case "map":
		return object{"allOf": []any{object{"$ref": "#/definitions/ssh"}}}, nil
	}
	return nil, fmt.Errorf("describing the key %q: no form for the type %q", k.Name, k.Type)
}

// text is a string. One that has a constant default or must be given cannot be
// empty when it is a path.
func text(k Key, form string) object {
	o := object{"type": "string", "pattern": form}
	if k.Type == "absolute path" && (k.Default != "" || k.Derived == "required") {
		o["minLength"] = 1
	}
	if len(k.Choices) > 0 {
		o["enum"] = k.Choices
	}
	return o
}

func events() object {
	name := "(" + strings.Join(change.EventNames(), "|") + ")"
	one := object{"type": "string", "pattern": `^\s*` + name + `(\s*\|\s*` + name + `)*\s*$`}
	return object{"anyOf": []any{one, object{"type": "array", "items": one}}}
}
