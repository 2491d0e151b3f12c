// Package foreign translates between Culm's contract and modules that were written for
// any Extism host: the inputs of a node become the bytes that such a module expects, and
// its bytes become the node's outputs.
package foreign

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/culmhq/culm/pdk/contract"
)

// The limits of what a side-car manifest says about an action.
const (
	configMax      = 200
	configBytesMax = 64 << 10
	fieldMax       = 128
)

// exportForm is the form of an export's name.
var exportForm = regexp.MustCompile(`^[!-~]{1,200}$`)

// InputError says that an input of a node cannot be given to the module. It holds
// nothing of the value.
type InputError struct {
	// Field is the input, as a JSON Pointer into the inputs.
	Field   string
	Message string
}

// Error reads "/field message".
func (e *InputError) Error() string { return e.Field + " " + e.Message }

// ErrOutput is why bytes are not what the encoding says.
var ErrOutput = errors.New("foreign: the output is not what the manifest's encoding says")

// Input returns the bytes that the module gets as its input. The error is an
// *InputError.
func Input(f *contract.Foreign, inputs json.RawMessage) ([]byte, error) {
	c := f.Encoding.Input
	switch c.As {
	case contract.CodecNone:
		return []byte{}, nil
	case contract.CodecText, contract.CodecBase64:
		v, err := text(inputs, c.Field)
		if err != nil || c.As == contract.CodecText {
			return []byte(v), err
		}
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil, &InputError{pointer(c.Field), "is not base64"}
		}
		return b, nil
	case contract.CodecJSON:
	}
	if c.Field == "" {
		if len(inputs) == 0 {
			return []byte("{}"), nil
		}
		return inputs, nil
	}
	v, ok, err := member(inputs, c.Field)
	if err != nil {
		return nil, err
	}
	if !ok {
		return []byte("null"), nil
	}
	return v, nil
}

// Config returns what the module reads with config_get. The error is an *InputError.
func Config(f *contract.Foreign, inputs json.RawMessage) (map[string]string, error) {
	out := make(map[string]string, len(f.Config)+len(f.ConfigInputs))
	for key, v := range f.Config {
		out[key] = v
	}
	for key, field := range f.ConfigInputs {
		raw, ok, err := member(inputs, field)
		if err != nil {
			return nil, err
		}
		if !ok || string(raw) == "null" {
			continue
		}
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		out[key] = s
	}
	return out, nil
}

// Outputs returns the outputs of the node, a JSON object. The error wraps ErrOutput.
func Outputs(f *contract.Foreign, output []byte) (json.RawMessage, error) {
	c := f.Encoding.Output
	switch c.As {
	case contract.CodecNone:
		return json.RawMessage("{}"), nil
	case contract.CodecText:
		if !utf8.Valid(output) {
			return nil, fmt.Errorf("%w: it is not text in UTF-8", ErrOutput)
		}
		return field(c.Field, string(output))
	case contract.CodecBase64:
		return field(c.Field, base64.StdEncoding.EncodeToString(output))
	case contract.CodecJSON:
	}
	if len(bytes.TrimSpace(output)) == 0 && c.Field == "" {
		return json.RawMessage("{}"), nil
	}
	v, err := value(output)
	if err != nil {
		return nil, err
	}
	if c.Field != "" {
		return field(c.Field, v)
	}
	if v[0] != '{' {
		return nil, fmt.Errorf("%w: it is JSON, but not an object; name a field for it", ErrOutput)
	}
	return v, nil
}

// Answer returns what a module of the contract would have written in place of output.
// The error wraps ErrOutput.
func Answer(f *contract.Foreign, output []byte) ([]byte, error) {
	outputs, err := Outputs(f, output)
	if err != nil {
		return nil, err
	}
	return json.Marshal(contract.Answer{Status: contract.StatusSucceeded, Outputs: outputs})
}

// Problem is one thing that is wrong with what a manifest says about a foreign action.
type Problem struct {
	// Field is a JSON Pointer into the action ("/foreign/export").
	Field string
	// Code is stable: clients translate by it, with Args, which are what the message names.
	Code   string
	Format string
	Args   []any
}

// Message says what is wrong, in English.
func (p Problem) Message() string { return fmt.Sprintf(p.Format, p.Args...) }

// Check returns what is wrong with an action that has Foreign set; nothing for another.
func Check(a *contract.Action) []Problem {
	f := a.Foreign
	if f == nil {
		return nil
	}
	var ps []Problem
	bad := func(field, code, format string, args ...any) {
		ps = append(ps, Problem{field, code, format, args})
	}
	for field, set := range map[string]bool{
		"/waits": len(a.Waits) > 0, "/cancel": a.Cancel, "/rollback": a.Rollback, "/options": a.Options,
	} {
		if set {
			bad(field, "FOREIGN_CALL", "a foreign module does not know this call")
		}
	}
	if !exportForm.MatchString(f.Export) {
		bad("/foreign/export", "FOREIGN_EXPORT", "must name a function that the module exports")
	}
	checkCodec("/foreign/encoding/input", f.Encoding.Input, bad)
	checkCodec("/foreign/encoding/output", f.Encoding.Output, bad)
	size := 0
	for key, v := range f.Config {
		size += len(key) + len(v)
	}
	if len(f.Config) > configMax || size > configBytesMax {
		bad("/foreign/config", "FOREIGN_CONFIG", "has at most %d keys and %d bytes", configMax, configBytesMax)
	}
	if len(f.ConfigInputs) > configMax {
		bad("/foreign/config_inputs", "FOREIGN_CONFIG_INPUTS", "has at most %d keys", configMax)
	}
	for key, name := range f.ConfigInputs {
		if name == "" || len(name) > fieldMax {
			bad("/foreign/config_inputs"+pointer(key), "FOREIGN_CONFIG_INPUT", "must name an input of the action")
		}
	}
	slices.SortFunc(ps, func(a, b Problem) int { return strings.Compare(a.Field, b.Field) })
	return ps
}

func checkCodec(at string, c contract.Codec, bad func(field, code, format string, args ...any)) {
	switch c.As {
	case contract.CodecText, contract.CodecBase64:
		if c.Field == "" {
			bad(at+"/field", "FOREIGN_FIELD", "is required with %q", c.As)
		}
	case contract.CodecNone:
		if c.Field != "" {
			bad(at+"/field", "FOREIGN_NO_FIELD", "has no meaning with %q", c.As)
		}
	case contract.CodecJSON, "":
	default:
		bad(at+"/as", "FOREIGN_ENCODING", "must be json, text, base64 or none")
	}
	if len(c.Field) > fieldMax {
		bad(at+"/field", "FOREIGN_LONG", "has at most %d bytes", fieldMax)
	}
}

// member returns one of the inputs, and whether it is there.
func member(inputs json.RawMessage, name string) (json.RawMessage, bool, error) {
	var all map[string]json.RawMessage
	if len(inputs) > 0 {
		if err := json.Unmarshal(inputs, &all); err != nil {
			return nil, false, &InputError{"", "are not an object"}
		}
	}
	v, ok := all[name]
	return v, ok, nil
}

// text returns an input that is a text; an absent one is the empty text.
func text(inputs json.RawMessage, name string) (string, error) {
	raw, ok, err := member(inputs, name)
	if err != nil || !ok || string(raw) == "null" {
		return "", err
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", &InputError{pointer(name), "must be a text"}
	}
	return s, nil
}

// value returns the one JSON value that the bytes are, as compact JSON.
func value(output []byte) (json.RawMessage, error) {
	if !utf8.Valid(output) {
		return nil, fmt.Errorf("%w: it is not JSON in UTF-8", ErrOutput)
	}
	d := json.NewDecoder(bytes.NewReader(output))
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON", ErrOutput)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the JSON value", ErrOutput)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return b.Bytes(), nil
}

// field makes outputs of one value.
func field(name string, v any) (json.RawMessage, error) { return json.Marshal(map[string]any{name: v}) }

// pointer makes a JSON Pointer of one name.
func pointer(name string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
