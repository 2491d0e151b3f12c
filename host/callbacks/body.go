package callbacks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/culmhq/culm/host/fault"
)

// dataOf reads what a callback brings: JSON, the fields of a form, or nothing, which is an
// empty object.
func dataOf(r Request) (json.RawMessage, error) {
	if r.Form != nil {
		data, err := json.Marshal(r.Form)
		return data, fault.Wrap("encode a form", err)
	}
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return json.RawMessage("{}"), nil
	}
	if err := shallow(r.Body); err != nil {
		return nil, fault.At("", "%v", err)
	}
	return r.Body, nil
}

// shallow checks that a body is one JSON value that does not nest too deep.
func shallow(body []byte) error {
	if !json.Valid(body) {
		return errors.New("the body is not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for depth := 0; ; {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return errors.New("the body is not JSON")
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > depthMax {
				return errors.New("the JSON of the body nests too deep")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
