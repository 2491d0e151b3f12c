package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// compare lists what of an expectation a call did not meet.
func compare(e *Expect, d Done) []Mismatch {
	if e == nil {
		return nil
	}
	var ps []Mismatch
	if e.Status != "" && e.Status != d.Answer.Status {
		m := mismatch("CASE_STATUS", "status: want %s, got %s", e.Status, d.Answer.Status)
		if d.Answer.Failure != nil {
			m = m.because(" (%s)", d.Answer.Failure, d.why)
		}
		return []Mismatch{m} // everything else would only repeat it
	}
	if len(e.Outputs) > 0 {
		ps = append(ps, differences("outputs", e.Outputs, d.Answer.Outputs)...)
	}
	if len(e.State) > 0 {
		ps = append(ps, differences("state", e.State, d.Answer.State)...)
	}
	if len(e.Failure) > 0 {
		ps = append(ps, partly("failure", e.Failure, d.Answer.Failure)...)
	}
	if len(e.Wait) > 0 {
		ps = append(ps, partly("wait", e.Wait, d.Answer.Wait)...)
	}
	if e.Vars != nil {
		ps = append(ps, differences("vars", object(e.Vars), object(d.Vars))...)
	}
	if e.Log != nil && !slices.Equal(e.Log, d.Log) {
		ps = append(ps, differences("log", encoded(e.Log), encoded(d.Log))...)
	}
	return ps
}

// partly compares the members that are wanted, and no others.
func partly(at string, want json.RawMessage, got any) []Mismatch {
	var w, g map[string]json.RawMessage
	if json.Unmarshal(want, &w) != nil {
		return []Mismatch{mismatch("CASE_OBJECT", "%s: what is expected is not an object", at)}
	}
	if json.Unmarshal(encoded(got), &g) != nil {
		g = nil
	}
	var ps []Mismatch
	for _, k := range slices.Sorted(maps.Keys(w)) {
		have, ok := g[k]
		if !ok && (string(w[k]) == "false" || string(w[k]) == "0" || string(w[k]) == `""`) {
			continue // a zero member is left out of JSON
		}
		ps = append(ps, differences(at+"/"+k, w[k], have)...)
	}
	return ps
}

func encoded(v any) json.RawMessage {
	raw, err := plain(v)
	if err != nil {
		return nil
	}
	return raw
}

// differencesMax bounds what is shown of two values that have little in common.
const differencesMax = 10

// differences compares two JSON values member by member.
func differences(at string, want, got json.RawMessage) []Mismatch {
	var ps []Mismatch
	diff(&ps, at, decoded(want), decoded(got))
	if len(ps) > differencesMax {
		ps = append(ps[:differencesMax], mismatch("CASE_MORE", "%s: %d further differences", at, len(ps)-differencesMax))
	}
	return ps
}

// absent stands for a value that is not there.
type absent struct{}

func decoded(raw json.RawMessage) any {
	if len(raw) == 0 {
		return absent{}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return absent{}
	}
	return v
}

func diff(ps *[]Mismatch, at string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		both := maps.Clone(w)
		maps.Copy(both, g)
		for _, k := range slices.Sorted(maps.Keys(both)) {
			diff(ps, at+"/"+k, member(w, k), member(g, k))
		}
		return
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range max(len(w), len(g)) {
			diff(ps, at+"/"+strconv.Itoa(i), element(w, i), element(g, i))
		}
		return
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return
		}
	}
	if show(want) != show(got) {
		*ps = append(*ps, mismatch("CASE_VALUE", "%s: want %s, got %s", at, show(want), show(got)))
	}
}

func member(m map[string]any, k string) any {
	if v, ok := m[k]; ok {
		return v
	}
	return absent{}
}

func element(l []any, i int) any {
	if i < len(l) {
		return l[i]
	}
	return absent{}
}

// sameNumber takes 1.0 and 1e0 as one. Integers are compared by their digits: a float
// does not hold all of them.
func sameNumber(a, b json.Number) bool {
	if !strings.ContainsAny(string(a)+string(b), ".eE") {
		return a == b
	}
	x, err := a.Float64()
	y, err2 := b.Float64()
	return err == nil && err2 == nil && x == y
}

func show(v any) string {
	if _, ok := v.(absent); ok {
		return "nothing"
	}
	raw, err := plain(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	const most = 200
	s := string(raw)
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Observed is what a call did, as an expectation that it meets.
func (d Done) Observed() Expect {
	e := Expect{Status: d.Answer.Status, Outputs: d.Answer.Outputs, State: d.Answer.State, Log: d.Log, Vars: d.Vars}
	if f := d.Answer.Failure; f != nil {
		own := *f
		own.System, own.Operation, own.Detail = "", "", nil // follow from the call that failed
		if own.Origin == contract.OriginPlugin {
			own.Origin = ""
		}
		e.Failure = encoded(own)
	}
	if d.Answer.Wait != nil {
		e.Wait = encoded(d.Answer.Wait)
	}
	return e
}
