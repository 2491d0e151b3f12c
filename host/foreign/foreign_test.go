package foreign_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/culmhq/culm/host/foreign"
	"github.com/culmhq/culm/pdk/contract"
)

func codec(as contract.CodecForm, field string) contract.Codec {
	return contract.Codec{As: as, Field: field}
}

func TestInputs(t *testing.T) {
	t.Parallel()
	const inputs = `{"name":"héllo","bytes":"AAE=","n":7,"none":null,"list":[1,2]}`
	for name, c := range map[string]struct {
		codec       contract.Codec
		want, field string
	}{
		"all":                {contract.Codec{}, inputs, ""},
		"one as JSON":        {codec(contract.CodecJSON, "list"), "[1,2]", ""},
		"an absent one":      {codec(contract.CodecJSON, "gone"), "null", ""},
		"text":               {codec(contract.CodecText, "name"), "héllo", ""},
		"absent text":        {codec(contract.CodecText, "gone"), "", ""},
		"null text":          {codec(contract.CodecText, "none"), "", ""},
		"a number as text":   {codec(contract.CodecText, "n"), "", "/n"},
		"bytes":              {codec(contract.CodecBase64, "bytes"), "\x00\x01", ""},
		"bytes that are not": {codec(contract.CodecBase64, "name"), "", "/name"},
		"nothing":            {codec(contract.CodecNone, ""), "", ""},
	} {
		got, err := foreign.Input(&contract.Foreign{Encoding: contract.Encoding{Input: c.codec}}, json.RawMessage(inputs))
		var bad *foreign.InputError
		if errors.As(err, &bad) != (c.field != "") || bad != nil && bad.Field != c.field || string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	f := &contract.Foreign{
		Config:       map[string]string{"a": "fixed", "b": "default", "c": "default"},
		ConfigInputs: map[string]string{"b": "text", "c": "gone", "d": "n", "e": "null", "f": "list"},
	}
	got, err := foreign.Config(f, json.RawMessage(`{"text":"given","n":7,"null":null,"list":["x"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "fixed", "b": "given", "c": "default", "d": "7", "f": `["x"]`}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		codec        contract.Codec
		output, want string
	}{
		"an object":            {contract.Codec{}, ` {"a": 1} `, `{"a":1}`},
		"nothing":              {contract.Codec{}, "", "{}"},
		"a list":               {contract.Codec{}, "[1]", ""},
		"two values":           {contract.Codec{}, "{} {}", ""},
		"no JSON":              {contract.Codec{}, "hello", ""},
		"no JSON of a field":   {codec(contract.CodecJSON, "v"), "", ""},
		"one field":            {codec(contract.CodecJSON, "v"), "[1, 2]", `{"v":[1,2]}`},
		"text":                 {codec(contract.CodecText, "v"), `he said "hi"`, `{"v":"he said \"hi\""}`},
		"bytes as text":        {codec(contract.CodecText, "v"), "\xff", ""},
		"bytes":                {codec(contract.CodecBase64, "v"), "\xff", `{"v":"/w=="}`},
		"what nobody wants":    {codec(contract.CodecNone, ""), "\xff", `{}`},
		"JSON that is no UTF8": {contract.Codec{}, "{\"a\":\"\xff\"}", ""},
	} {
		f := &contract.Foreign{Encoding: contract.Encoding{Output: c.codec}}
		got, err := foreign.Outputs(f, []byte(c.output))
		if errors.Is(err, foreign.ErrOutput) != (c.want == "") || string(got) != c.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if answer, err := foreign.Answer(f, []byte(c.output)); err == nil {
			var a contract.Answer
			if err := json.Unmarshal(answer, &a); err != nil || a.Status != contract.StatusSucceeded || string(a.Outputs) != c.want {
				t.Errorf("%s: the answer is %s, %v", name, answer, err)
			}
		}
	}
}

func TestCheckNamesTheField(t *testing.T) {
	t.Parallel()
	for field, a := range map[string]contract.Action{
		"/cancel":                         {Cancel: true, Foreign: &contract.Foreign{Export: "f"}},
		"/rollback":                       {Rollback: true, Foreign: &contract.Foreign{Export: "f"}},
		"/options":                        {Options: true, Foreign: &contract.Foreign{Export: "f"}},
		"/waits":                          {Waits: []contract.WaitKind{contract.WaitPoll}, Foreign: &contract.Foreign{Export: "f"}},
		"/foreign/export":                 {Foreign: &contract.Foreign{}},
		"/foreign/encoding/input/field":   {Foreign: &contract.Foreign{Export: "f", Encoding: contract.Encoding{Input: codec(contract.CodecText, "")}}},
		"/foreign/encoding/output/field":  {Foreign: &contract.Foreign{Export: "f", Encoding: contract.Encoding{Output: codec(contract.CodecNone, "x")}}},
		"/foreign/encoding/output/as":     {Foreign: &contract.Foreign{Export: "f", Encoding: contract.Encoding{Output: codec("xml", "x")}}},
		"/foreign/config_inputs/to~1from": {Foreign: &contract.Foreign{Export: "f", ConfigInputs: map[string]string{"to/from": ""}}},
	} {
		if ps := foreign.Check(&a); len(ps) != 1 || ps[0].Field != field || ps[0].Message() == "" {
			t.Errorf("%s: %+v", field, ps)
		}
	}
	fine := contract.Action{Foreign: &contract.Foreign{Export: "_start", Config: map[string]string{"k": "v"}}}
	if ps := foreign.Check(&fine); ps != nil {
		t.Errorf("got %+v", ps)
	}
	if ps := foreign.Check(&contract.Action{Cancel: true}); ps != nil {
		t.Errorf("an action of the contract: %+v", ps)
	}
}
