package expr

import (
	"encoding/json"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// References collects the names that expressions mention, by their text alone: without
// schemas, and without knowing what exists. It may find more names than the expressions
// read, never fewer. What is not an expression mentions nothing.
type References struct {
	cel *cel.Env
	// Variables are the names that could be variables, Nodes those of nodes.X.
	Variables, Nodes map[string]bool
}

// NewReferences returns an empty collection.
func NewReferences() (*References, error) {
	env, err := NewEnv(Config{})
	if err != nil {
		return nil, err
	}
	return &References{cel: env.cel, Variables: map[string]bool{}, Nodes: map[string]bool{}}, nil
}

// Expression adds the names of a CEL expression.
func (r *References) Expression(src string) {
	parsed, iss := r.cel.Parse(src)
	if iss.Err() != nil {
		return
	}
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			r.Variables[e.AsIdent()] = true
		case ast.SelectKind:
			if s := e.AsSelect(); s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == "nodes" {
				r.Nodes[s.FieldName()] = true
			}
		default:
		}
	}))
}

// Template adds the names of the expressions in the strings of a JSON value.
func (r *References) Template(raw json.RawMessage) {
	v, err := decodeAny(raw)
	if err != nil {
		return
	}
	r.value(v)
}

func (r *References) value(v any) {
	switch v := v.(type) {
	case string:
		pieces, _ := splitTemplate(v)
		for _, p := range pieces {
			if p.isExpr {
				r.Expression(p.text)
			}
		}
	case []any:
		for _, item := range v {
			r.value(item)
		}
	case map[string]any:
		for _, item := range v {
			r.value(item)
		}
	}
}
