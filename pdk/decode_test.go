package pdk_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

// Base is embedded in FormIn.
type Base struct {
	// A number.
	Number int `json:"number"`
}

// Row is a row of a table.
type Row struct {
	// The name of the row.
	Name string `json:"name"`
	// The rows below.
	Cells []Cell `json:"cells,omitempty"`
}

// Cell is a cell of a row.
type Cell struct {
	// The value.
	Value *float64 `json:"value"`
}

// FormIn has a field of each kind.
type FormIn struct {
	Base
	// A table.
	Rows []Row `json:"rows,omitempty"`
	// Rows by name.
	Named map[string]Row `json:"named,omitempty"`
	// Any JSON.
	Any any `json:"any,omitempty"`
	// Raw JSON.
	Raw json.RawMessage `json:"raw,omitempty"`
	// A row that may be missing.
	Maybe *Row `json:"maybe,omitempty"`
	// How long.
	Long pdk.Duration `json:"long,omitzero"`
	// Has a default.
	Colour string `json:"colour" choices:"red:Red|blue:Blue"`
}

func form() *pdk.Plugin {
	return pdk.Register(pdk.Plugin{
		ID: "form", Version: "1.0.0", Title: pdk.Text{En: "Form"},
		Actions: []pdk.Actor{pdk.Action[FormIn, FormIn]{
			ID: "fill", Title: pdk.Text{En: "Fill"}, Defaults: FormIn{Colour: "red"},
			Execute: func(_ *pdk.Ctx, in FormIn) (FormIn, error) { return in, nil },
		}},
	})
}

// TestInputsAreHeldToTheirSchema: the module refuses by itself what the schema refuses
// about names and types, and names the field.
func TestInputsAreHeldToTheirSchema(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, form())
	for in, field := range map[string]string{
		`{"number":1}`: "",
		`{"number":1,"rows":[{"name":"a"}],"any":{"x":1}}`:                "",
		`{"number":1,"raw":{"strange":[1]},"long":"90s"}`:                 "",
		`{"number":1,"named":{"k":{"name":"a","cells":[{"value":1.5}]}}}`: "",
		`{"number":1,"maybe":{"name":"a"}}`:                               "",
		`{}`:                                                              "number",
		`{"number":null}`:                                                 "number",
		`{"Number":1}`:                                                    "number",
		`{"number":1,"NUMBER":2}`:                                         "NUMBER",
		`{"number":1,"extra":2}`:                                          "extra",
		`{"number":"1"}`:                                                  "number",
		`{"number":1.5}`:                                                  "number",
		`{"number":1,"rows":[{"name":"a"},{}]}`:                           "rows.1.name",
		`{"number":1,"rows":[{"name":"a","x":1}]}`:                        "rows.0.x",
		`{"number":1,"rows":[{"name":"a","cells":[7]}]}`:                  "rows.0.cells.0",
		`{"number":1,"rows":{}}`:                                          "rows",
		`{"number":1,"named":{"k":{"cells":[]}}}`:                         "named.k.name",
		`{"number":1,"named":[]}`:                                         "named",
		`{"number":1,"maybe":{}}`:                                         "maybe.name",
		`{"number":1,"long":"soon"}`:                                      "inputs",
		`[]`:                                                              "inputs",
		`"text"`:                                                          "inputs",
	} {
		ans := b.Execute("fill", json.RawMessage(in))
		if (b.Validate("fill", json.RawMessage(in)) == nil) != (field == "") {
			t.Errorf("%s: the schema says %v", in, b.Validate("fill", json.RawMessage(in)))
		}
		if field == "" {
			pdktest.Succeeded[FormIn](t, ans)
			continue
		}
		f := pdktest.Failed(t, ans, pdk.CodeInput)
		if !strings.HasPrefix(f.Message, field+": ") || f.Origin != contract.OriginFlow {
			t.Errorf("%s: %+v does not name %s", in, f, field)
		}
	}
}

func FuzzInputsNeverPanic(f *testing.F) {
	p := form()
	f.Add([]byte(`{"number":1,"rows":[{"name":"a","cells":[{"value":null}]}]}`))
	f.Add([]byte(`{"number":1,"named":{"":null},"maybe":null}`))
	f.Fuzz(func(t *testing.T, inputs []byte) {
		if !json.Valid(inputs) {
			return
		}
		req, err := json.Marshal(contract.Request{ABI: contract.ABI, Action: "fill", Reason: contract.ReasonExecute, Inputs: inputs})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := p.Handle(nil, contract.ExportExecute, req)
		if err != nil {
			t.Fatal(err)
		}
		var ans contract.Answer
		if err := json.Unmarshal(raw, &ans); err != nil {
			t.Fatal(err)
		}
		if ans.Failure != nil && ans.Failure.Code != pdk.CodeInput {
			t.Fatalf("%s: %v", inputs, ans.Failure)
		}
	})
}
