package main

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// validator is as much of JSON schema, draft 7, as the schema of the
// configuration uses. A keyword that it does not know is an error, so that
// nothing in the schema goes untested.
type validator struct{ root map[string]any }

func (v *validator) check(schema map[string]any, x any) error {
	for word, arg := range schema {
		if err := v.keyword(schema, word, arg, x); err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
	}
	return nil
}

func (v *validator) keyword(schema map[string]any, word string, arg, x any) error {
	switch word {
	case "$schema", "title", "description", "definitions", "additionalProperties":
		return nil // the last is part of properties
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/definitions/")
		return v.check(v.root["definitions"].(map[string]any)[name].(map[string]any), x)
	case "allOf", "anyOf", "not":
		return v.combine(word, arg, x)
	case "type":
		return checkType(arg, x)
	case "enum":
		return only(slices.ContainsFunc(arg.([]any), func(e any) bool { return reflect.DeepEqual(e, x) }), x)
	}
	switch x := x.(type) {
	case string:
		return v.text(word, arg, x)
	case int:
		return v.number(word, arg, float64(x))
	case float64:
		return v.number(word, arg, x)
	case []any:
		return v.list(word, arg, x)
	case map[string]any:
		return v.object(schema, word, arg, x)
	}
	return nil
}

func only(ok bool, x any) error {
	if !ok {
		return fmt.Errorf("not for %v", x)
	}
	return nil
}

func (v *validator) combine(word string, arg, x any) error {
	if word == "not" {
		return only(v.check(arg.(map[string]any), x) != nil, x)
	}
	var faults []error
	for _, one := range arg.([]any) {
		if err := v.check(one.(map[string]any), x); err != nil {
			faults = append(faults, err)
		}
	}
	if word == "anyOf" && len(faults) < len(arg.([]any)) {
		return nil
	}
	return errors.Join(faults...)
}

func checkType(arg, x any) error {
	is := map[string]bool{}
	switch x.(type) {
	case nil:
		is["null"] = true
	case bool:
		is["boolean"] = true
	case string:
		is["string"] = true
	case int:
		is["integer"], is["number"] = true, true
	case float64:
		is["number"] = true
	case []any:
		is["array"] = true
	case map[string]any:
		is["object"] = true
	}
	if list, ok := arg.([]any); ok {
		return only(slices.ContainsFunc(list, func(one any) bool { return is[one.(string)] }), x)
	}
	return only(is[arg.(string)], x)
}

func (v *validator) text(word string, arg any, x string) error {
	switch word {
	case "pattern":
		return only(regexp.MustCompile(arg.(string)).MatchString(x), x)
	case "minLength":
		return only(utf8.RuneCountInString(x) >= int(arg.(float64)), x)
	case "minimum", "maximum", "exclusiveMinimum":
		return nil
	}
	return unknownKeyword(word)
}

func (v *validator) number(word string, arg any, x float64) error {
	switch word {
	case "minimum":
		return only(x >= arg.(float64), x)
	case "exclusiveMinimum":
		return only(x > arg.(float64), x)
	case "maximum":
		return only(x <= arg.(float64), x)
	case "pattern", "minLength":
		return nil
	}
	return unknownKeyword(word)
}

func (v *validator) list(word string, arg any, x []any) error {
	switch word {
	case "minItems":
		return only(len(x) >= int(arg.(float64)), x)
	case "items":
		var faults []error
		for _, item := range x {
			faults = append(faults, v.check(arg.(map[string]any), item))
		}
		return errors.Join(faults...)
	}
	return nil
}

func (v *validator) object(schema map[string]any, word string, arg any, x map[string]any) error {
	switch word {
	case "minProperties":
		return only(len(x) >= int(arg.(float64)), x)
	case "maxProperties":
		return only(len(x) <= int(arg.(float64)), x)
	case "required":
		for _, name := range arg.([]any) {
			if _, there := x[name.(string)]; !there {
				return fmt.Errorf("no %s", name)
			}
		}
	}
	if word != "properties" && (word != "minProperties" || schema["properties"] != nil) {
		return nil
	}
	return v.properties(schema, x)
}

func (v *validator) properties(schema, x map[string]any) error {
	known, _ := schema["properties"].(map[string]any)
	for name, content := range x {
		one, ok := known[name].(map[string]any)
		if !ok {
			if schema["additionalProperties"] == false {
				return fmt.Errorf("unknown key %s", name)
			}
			one, _ = schema["additionalProperties"].(map[string]any)
		}
		if err := v.check(one, content); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func unknownKeyword(word string) error {
	return fmt.Errorf("the test does not know the keyword %s", word)
}

// TestValidator has the validator refuse what each keyword is to refuse.
func TestValidator(t *testing.T) {
	for _, tc := range []struct {
		word     string
		arg      any
		good, no any
	}{
		{"type", "string", "a", 1},
		{"enum", []any{"a"}, "a", "b"},
		{"pattern", "^a", "ab", "ba"},
		{"minimum", 1.0, 1, 0.5},
		{"exclusiveMinimum", 1.0, 2, 1},
		{"minItems", 1.0, []any{1}, []any{}},
		{"required", []any{"a"}, map[string]any{"a": 1}, map[string]any{}},
		{"maxProperties", 0.0, map[string]any{}, map[string]any{"a": 1}},
		{"not", map[string]any{"type": "null"}, 1, nil},
	} {
		v := &validator{}
		schema := map[string]any{tc.word: tc.arg}
		if err := v.check(schema, tc.good); err != nil {
			t.Errorf("check(%v, %v): got %v, want none", schema, tc.good, err)
		}
		if v.check(schema, tc.no) == nil {
			t.Errorf("check(%v, %v): got no error, want one", schema, tc.no)
		}
	}
}
