package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/fault"
)

func TestDecodeRefusesWhatIsAmbiguous(t *testing.T) {
	t.Parallel()
	const flow = `{"document":{"format":"culm.flow/v1","name":"n","nodes":[],"edges":[]}}`
	for name, tc := range map[string]struct {
		body  string
		code  fault.Code
		field string
	}{
		"good":                     {flow, "", ""},
		"space around it":          {" \n" + flow + "\n ", "", ""},
		"text in two languages":    {`{"document":{"name":{"en":"n","zh":"名"}}}`, "", ""},
		"unknown field":            {`{"document":{"nme":"n"}}`, fault.Invalid, "/document/nme"},
		"case folded":              {`{"document":{"Name":"n"}}`, fault.Invalid, "/document/Name"},
		"case folded at the top":   {`{"Document":{}}`, fault.Invalid, "/Document"},
		"twice":                    {`{"document":{"name":"a","name":"b"}}`, fault.Invalid, "/document/name"},
		"twice, written otherwise": {`{"document":{"name":"a","n\u0061me":"b"}}`, fault.Invalid, "/document/name"},
		"twice in a free value":    {`{"document":{"nodes":[{"inputs":{"a":{"x":1,"x":2}}}]}}`, fault.Invalid, "/document/nodes/0/inputs/a/x"},
		"twice in a map":           {`{"document":{"nodes":[{"inputs":{"a":1,"a":2}}]}}`, fault.Invalid, "/document/nodes/0/inputs/a"},
		"wrong type":               {`{"document":{"nodes":{}}}`, fault.Invalid, "/document/nodes"},
		"wrong type of a scalar":   {`{"document":{"nodes":[{"position":{"x":"a","y":1}}]}}`, fault.Invalid, "/document/nodes/position/x"},
		"data after it":            {flow + `{}`, codeMalformed, ""},
		"cut off":                  {flow[:20], codeMalformed, ""},
		"nothing":                  {"", codeMalformed, ""},
		"only space":               {" ", codeMalformed, ""},
		"byte order mark":          {"\ufeff" + flow, codeMalformed, ""},
		"not UTF-8":                {"{\"document\":{\"name\":\"\xff\"}}", codeMalformed, ""},
		"deep":                     {`{"document":{"nodes":[{"inputs":{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}}]}}`, fault.Invalid, ""},
		"not JSON":                 {`document: {}`, codeMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := decodeJSON([]byte(tc.body), new(documentBody))
			var f *fault.Error
			if tc.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.As(err, &f) || f.Code != tc.code || (tc.field != "" && f.Field != tc.field) {
				t.Fatalf("got %v, want %s at %q", err, tc.code, tc.field)
			}
		})
	}
}

// FuzzDecode checks that whatever is accepted means the same when it is written again
// and that nothing crashes the decoder.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"document":{"format":"culm.flow/v1","name":"n","nodes":[{"id":"a","type":"task"}],"edges":[]}}`))
	f.Add([]byte(`{"document":{"name":{"en":"a"}}}`))
	f.Add([]byte(`{"document":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v documentBody
		if decodeJSON(b, &v) != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		if !json.Valid(again) {
			t.Fatal("written as what is not JSON")
		}
	})
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[fault.Code]int{
		fault.NotFound: 404, fault.Invalid: 422, fault.Exists: 409, fault.Conflict: 409, fault.WrongState: 409,
		fault.RunEnded: 409, fault.TooLarge: 413, fault.KeyReused: 422, fault.Forbidden: 403, fault.Internal: 500,
		fault.Stopping: 503, codeMalformed: 400, codeMediaType: 415, codeMethod: 405, codeOrigin: 403, codeHost: 421,
		codePrecondition: 428, codeUpgrade: 426, codeHeaders: 431, codeTimeout: 408,
	} {
		if got := status(code); got != want {
			t.Errorf("%s answers %d, want %d", code, got, want)
		}
	}
}

func TestInternalErrorsTellTheClientNothing(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.New("secret detail"),
		fault.Wrap("open /var/secret", errors.New("secret detail")),
		&panicError{value: "secret detail"},
	} {
		p := newProblem(err)
		b, merr := json.Marshal(p)
		if merr != nil || p.Status != http.StatusInternalServerError || p.Code != fault.Internal || strings.Contains(string(b), "secret") {
			t.Errorf("%v answers %s, %v", err, b, merr)
		}
	}
}
