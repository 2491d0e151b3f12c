package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Way says how a replayed call went another way than the recorded one.
type Way string

// The ways.
const (
	WayChanged Way = "changed" // something else was asked or said than recorded
	WayMissing Way = "missing" // what was recorded was not asked or said any more
	WayExtra   Way = "extra"   // something was asked or said after all that was recorded
	WayOutcome Way = "outcome" // the call ended differently
)

// Difference is the first point at which a replayed call went another way.
type Difference struct {
	Way Way `json:"way"`
	// At is the place among the recorded events, from 0; their number for one that
	// came after all of them and for the outcome.
	At int `json:"at"`
	// Recorded and Now are the events, where there is one.
	Recorded *Event `json:"recorded,omitempty"`
	Now      *Event `json:"now,omitempty"`
	// RecordedOutcome and NowOutcome are set for WayOutcome.
	RecordedOutcome *Outcome `json:"recorded_outcome,omitempty"`
	NowOutcome      *Outcome `json:"now_outcome,omitempty"`
	// Field is a JSON Pointer to the first part that differs, Was and Is are its
	// values as JSON; all are empty where the two are not JSON of one shape, and one
	// value is empty where the part is only in the other.
	Field string `json:"field,omitempty"`
	Was   string `json:"was,omitempty"`
	Is    string `json:"is,omitempty"`
}

// point finds the first part in which two JSON values differ.
func (d *Difference) point(was, is Data) {
	var a, b any
	if decodeNumber(was, &a) != nil || decodeNumber(is, &b) != nil {
		return
	}
	d.Field, d.Was, d.Is = differ("", a, b)
}

// same reports whether two payloads are the same: as JSON values where both are JSON,
// else to the byte.
func same(a, b Data) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return decodeNumber(a, &x) == nil && decodeNumber(b, &y) == nil && reflect.DeepEqual(x, y)
}

func decodeNumber(b Data, v *any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("%w: more than one value", ErrRecording)
	}
	return nil
}

// differ walks two values to the first place where they differ.
func differ(at string, a, b any) (field, was, is string) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return differIn(at, x, y)
		}
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		for i := range min(len(x), len(y)) {
			if !reflect.DeepEqual(x[i], y[i]) {
				return differ(at+"/"+strconv.Itoa(i), x[i], y[i])
			}
		}
		switch {
		case len(x) > len(y):
			return at + "/" + strconv.Itoa(len(y)), text(x[len(y)]), ""
		case len(y) > len(x):
			return at + "/" + strconv.Itoa(len(x)), "", text(y[len(x)])
		}
	}
	return at, text(a), text(b)
}

// differIn walks two objects by the names of their members, in order.
func differIn(at string, a, b map[string]any) (field, was, is string) {
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, inA := a[name]
		y, inB := b[name]
		place := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		switch {
		case !inA:
			return place, "", text(y)
		case !inB:
			return place, text(x), ""
		case !reflect.DeepEqual(x, y):
			return differ(place, x, y)
		}
	}
	return at, "", ""
}

func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}
