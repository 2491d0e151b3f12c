package expr_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine/expr"
)

// TestReferences: every name that an expression could read is found, by its text alone.
func TestReferences(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`a + b.c`: "a b;",
		`nodes.x.outputs.y[0] > nodes.z.iterations`: "nodes;x z",
		`items.exists(i, i == limit)`:               "i items limit;",
		`has(nodes.x.outputs.y) ? "q" : env.R`:      "env nodes;x",
		`'nodes.x ' + run.id`:                       "run;",
		`not an expression`:                         ";",
		``:                                          ";",
	} {
		if got := names(t, func(r *expr.References) { r.Expression(src) }); got != want {
			t.Errorf("%s names %q, want %q", src, got, want)
		}
	}
	template := json.RawMessage(`{"k":["${a}","$${b}",{"x":"text ${c + '}'} ${nodes.n.outputs}"}],"n":1,"open":"${d"}`)
	if got := names(t, func(r *expr.References) { r.Template(template) }); got != "a c nodes;n" {
		t.Errorf("the template names %q", got)
	}
	if got := names(t, func(r *expr.References) { r.Template(json.RawMessage(`{`)) }); got != ";" {
		t.Errorf("what is not JSON names %q", got)
	}
}

func names(t *testing.T, add func(*expr.References)) string {
	t.Helper()
	r, err := expr.NewReferences()
	if err != nil {
		t.Fatal(err)
	}
	add(r)
	variables := slices.DeleteFunc(slices.Sorted(maps.Keys(r.Variables)), func(name string) bool { return strings.HasPrefix(name, "@") || strings.HasPrefix(name, "__") })
	return strings.Join(variables, " ") + ";" + strings.Join(slices.Sorted(maps.Keys(r.Nodes)), " ")
}
