package openapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	culmdocument "github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/host/systems/openapi"
)

// hostile is a document with those components, whose operation takes a parameter and a body
// of the schema d0.
func hostile(components string) string {
	const ref = `{"$ref":"#/components/schemas/d0"}`
	return `{"openapi":"3.1.0","servers":[{"url":"https://a.example"}],"paths":{"/x":{"post":{"operationId":"x",
		"parameters":[{"name":"a","in":"query","schema":` + ref + `}],
		"requestBody":{"content":{"application/json":{"schema":` + ref + `}}}}}},
		"components":{"schemas":` + components + `}}`
}

// doubling are components of which each refers to the next twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"d%d":{"allOf":[{"$ref":"#/components/schemas/d%d"},{"$ref":"#/components/schemas/d%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"d%d":{}`, n)
	return "{" + b.String() + "}"
}

// A document comes from an outside system. Whatever its schemas say, it is read or refused in
// no time, and a call is checked in a time that the value is worth.
func TestAHostileDocumentHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	const self = `{"$ref":"#/components/schemas/d0"}`
	long := `"` + strings.Repeat("a", 10_000) + `"`
	for name, c := range map[string]struct{ components, refused, value, unfit string }{
		"references that double":     {components: doubling(60), refused: systems.CodeSchemaSteps},
		"nothing but itself":         {components: `{"d0":{"allOf":[` + self + `]}}`, value: `{}`, unfit: systems.CodeUnchecked},
		"itself, twice for a part":   {components: `{"d0":{"allOf":[{"properties":{"n":` + self + `}},{"properties":{"n":` + self + `}}]}}`, value: strings.Repeat(`{"n":`, 40) + `{}` + strings.Repeat(`}`, 40), unfit: systems.CodeUnchecked},
		"a huge pattern":             {components: `{"d0":{"type":"string","pattern":"^` + strings.Repeat("(a|b)?", 40_000) + `$"}}`, value: long, unfit: systems.CodeUnchecked},
		"a choice of many, as items": {components: `{"d0":{"items":{"enum":[` + strings.Repeat("7,", 20_000) + `8]}}}`, value: `[` + strings.Repeat("8,", 500) + `8]`, unfit: systems.CodeUnchecked},
		"a bound without end":        {components: `{"d0":{"type":"number","minimum":1e999999}}`, refused: systems.CodeSchemaUnsupported},
		"a number without end":       {components: `{"d0":{"type":"array","items":{"type":"number","minimum":1}}}`, value: `[` + strings.Repeat("1e999999,", 300) + `1]`, unfit: systems.CodeUnchecked},
		"a tree, as honest ones are": {components: `{"d0":{"allOf":[{"type":"object"},{"properties":{"n":` + self + `}}]}}`, value: `{"n":{"n":{}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			d, err := openapi.Read([]byte(hostile(c.components)))
			if err != nil || len(d.Operations) != 1 {
				t.Fatalf("%+v, %v", d, err)
			}
			s := system(d)
			ready, err := systems.Compile(s)
			if c.refused != "" {
				var ps culmdocument.Problems
				if !errors.As(err, &ps) || ps[0].Code != c.refused {
					t.Errorf("got %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				op, _ := ready.Operation(s.Operations[0].ID)
				body, _ := op.Body()
				if code, _ := systems.CodeOf(body.Check(json.RawMessage(c.value))); code != c.unfit {
					t.Errorf("got %q, want %q", code, c.unfit)
				}
				if op.BodySecret("/a/b") {
					t.Error("a secret")
				}
			}
			if took, limit := time.Since(began), hosttest.TakenAtMost(5*time.Second); took > limit {
				t.Errorf("took %v", took)
			}
		})
	}
}

// Thousands of operations may refer to the same large schema, and each is compiled with it.
func TestSchemasThatThousandsOfOperationsReferToAreBounded(t *testing.T) {
	t.Parallel()
	s := system(read(t, hostile(`{"d0":{"enum":["`+strings.Repeat("a", 1<<20)+`"]}}`)))
	one := s.Operations[0]
	s.Operations = nil
	for i := range 1000 {
		one.ID = fmt.Sprintf("x%d", i)
		s.Operations = append(s.Operations, one)
	}
	ps := s.Validate()
	if len(ps) != 1 || ps[0].Code != systems.CodeSchemaLarge {
		t.Errorf("got %d problems: %.300v", len(ps), ps)
	}
}
