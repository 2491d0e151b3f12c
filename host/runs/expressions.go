package runs

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
)

// The limits of a preview of expressions.
const (
	// ExpressionsMax is how many are evaluated in one request.
	ExpressionsMax = 50
	// ExpressionValueMax is how many bytes of JSON are shown of one value.
	ExpressionValueMax = 64 << 10
	// expressionsTimeout bounds the evaluation of all of them.
	expressionsTimeout = 2 * time.Second
)

// ExpressionsRequest asks what expressions are worth.
type ExpressionsRequest struct {
	Project, Flow string
	// Run is the run whose values are used, empty for the last one of the flow.
	Run string
	// Variables are those of the document that is edited, which the run need not know.
	Variables []engine.Variable
	Items     []ExpressionItem
}

// ExpressionItem is a CEL expression, or a JSON value whose strings may hold ${...}.
type ExpressionItem struct {
	Expression string          `json:"expression,omitempty"`
	Value      json.RawMessage `json:"value,omitempty"`
}

// ExpressionValues are what they are worth, in the order of the request.
type ExpressionValues struct {
	// Run is the one whose values were used; nil when the flow never ran, and then the
	// variables have the values of the document.
	Run   *ExpressionRun    `json:"run,omitempty"`
	Items []ExpressionValue `json:"items"`
}

// ExpressionRun names a run.
type ExpressionRun struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	State     engine.RunState `json:"state"`
	CreatedAt time.Time       `json:"created_at"`
}

// ExpressionValue is a value or an error.
type ExpressionValue struct {
	Value json.RawMessage `json:"value,omitempty"`
	// Bytes is the size of a value that is too large to be shown.
	Bytes int              `json:"bytes,omitempty"`
	Error *ExpressionError `json:"error,omitempty"`
}

// ExpressionError says why there is no value.
type ExpressionError struct {
	Code    expr.Code `json:"code"`
	Message string    `json:"message"`
	// Name is the name that is unknown, or has no value yet.
	Name string `json:"name,omitempty"`
	// Pointer is the place in the value, Offset the byte in the text.
	Pointer string `json:"pointer,omitempty"`
	Offset  int    `json:"offset,omitempty"`
}

// Expressions evaluates expressions over the values of a run that was: nothing is stored,
// no plugin is called, and secrets stay references that no expression can use.
func (s *Service) Expressions(ctx context.Context, r ExpressionsRequest) (ExpressionValues, error) {
	if len(r.Items) > ExpressionsMax {
		return ExpressionValues{}, fault.At("/items", "at most %d expressions are evaluated at once", ExpressionsMax).Because("EXPRESSIONS_MAX")
	}
	project, err := s.o.Projects.Get(ctx, r.Project)
	if err != nil {
		return ExpressionValues{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, expressionsTimeout)
	defer cancel()
	named, err := namedIn(r)
	if err != nil {
		return ExpressionValues{}, err
	}
	sc := &sample{values: map[string]json.RawMessage{}, outputs: map[string]json.RawMessage{}, times: map[string]int{}, env: project.Env}
	run, err := s.sampled(ctx, r, named, sc)
	if err != nil {
		return ExpressionValues{}, err
	}
	sc.defaults(r.Variables)
	env, err := sampleEnv(r.Variables, named)
	if err != nil {
		return ExpressionValues{}, err
	}
	out := ExpressionValues{Run: run, Items: make([]ExpressionValue, 0, len(r.Items))}
	for _, item := range r.Items {
		if ctx.Err() != nil {
			return ExpressionValues{}, ctx.Err()
		}
		out.Items = append(out.Items, worth(env, sc, item))
	}
	return out, nil
}

// namedIn collects what the expressions and those of the variables name.
func namedIn(r ExpressionsRequest) (*expr.References, error) {
	names, err := expr.NewReferences()
	if err != nil {
		return nil, err
	}
	for i := range r.Variables {
		if v := &r.Variables[i]; v.Source == engine.SourceComputed {
			names.Expression(v.Expression)
		}
	}
	for _, item := range r.Items {
		names.Expression(item.Expression)
		if len(item.Value) > 0 {
			names.Template(item.Value)
		}
	}
	return names, nil
}

// sampled reads the values of the run; it returns nil when there is none.
func (s *Service) sampled(ctx context.Context, r ExpressionsRequest, named *expr.References, sc *sample) (*ExpressionRun, error) {
	id := r.Run
	if id == "" {
		heads, err := s.o.Runner.List(ctx, runner.RunQuery{Project: r.Project, Flow: r.Flow, Roots: true, Limit: 1})
		if err != nil {
			return nil, refusal("list runs", "", err)
		}
		if len(heads) == 0 {
			return nil, nil //nolint:nilnil // a flow that never ran is no error
		}
		id = heads[0].ID
	}
	var run *ExpressionRun
	err := s.o.Runner.Inspect(ctx, r.Project, id, func(_ *engine.Graph, st *engine.State) error {
		v := st.View()
		run = &ExpressionRun{ID: v.Run, Name: v.Name, State: v.State, CreatedAt: v.CreatedAt}
		sc.values, sc.run = v.Variables, st.Scope().Run()
		if sc.values == nil {
			sc.values = map[string]json.RawMessage{}
		}
		for node := range named.Nodes {
			sc.outputs[node], sc.times[node] = st.Scope().Outputs(node), st.Scope().Iterations(node)
		}
		return nil
	})
	if err != nil {
		return nil, refusal("read run", id, err)
	}
	return run, nil
}

// sampleEnv declares the variables of the document, and of the nodes those that are named:
// what they give is not looked up, it is there or not.
func sampleEnv(variables []engine.Variable, named *expr.References) (*expr.Env, error) {
	anything := &expr.Schema{}
	var c expr.Config
	seen := map[string]bool{}
	for i := range variables {
		v := &variables[i]
		if expr.Reserved(v.Name) || seen[v.Name] {
			continue
		}
		seen[v.Name] = true
		raw := v.Schema
		if len(raw) == 0 {
			raw = json.RawMessage(`{"type":"string"}`)
		}
		schema, err := expr.ParseSchema(raw)
		if err != nil || v.Source == engine.SourceComputed {
			schema = anything
		}
		c.Variables = append(c.Variables, expr.Decl{Name: v.Name, Schema: schema, Secret: v.Secret})
	}
	for _, node := range slices.Sorted(maps.Keys(named.Nodes)) {
		c.Nodes = append(c.Nodes, expr.Decl{Name: node, Schema: anything})
	}
	env, err := expr.NewEnv(c)
	if err != nil {
		return nil, &fault.Error{Code: fault.Invalid, Message: "the variables do not go together", Reason: "VARIABLES", Field: "/variables", Cause: err}
	}
	for i := range variables {
		if v := &variables[i]; v.Source == engine.SourceComputed && !v.Secret {
			if p, err := env.Compile(v.Expression); err == nil {
				env.Compute(v.Name, p)
			}
		}
	}
	return env, nil
}

func worth(env *expr.Env, sc *sample, item ExpressionItem) ExpressionValue {
	value, err := evaluated(env, sc, item)
	if err != nil {
		e := &ExpressionError{Code: expr.CodeEval, Message: err.Error()}
		if typed, ok := errors.AsType[*expr.Error](err); ok {
			e = &ExpressionError{Code: typed.Code, Message: typed.Message, Name: typed.Name, Pointer: typed.Pointer, Offset: typed.Offset}
		}
		return ExpressionValue{Error: e}
	}
	if len(value) > ExpressionValueMax {
		return ExpressionValue{Bytes: len(value)}
	}
	return ExpressionValue{Value: value}
}

func evaluated(env *expr.Env, sc *sample, item ExpressionItem) (json.RawMessage, error) {
	if len(item.Value) == 0 {
		p, err := env.Compile(item.Expression)
		if err != nil {
			return nil, err
		}
		return p.Eval(sc)
	}
	t, errs := env.Template(item.Value)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if places := t.Secrets(); len(places) > 0 {
		return nil, &expr.Error{Code: expr.CodeSecret, Message: "the value of a secret is not shown", Name: places[0].Variable}
	}
	return t.Append(nil, sc)
}

// sample is what a run held, with the values of the document where the run has none.
type sample struct {
	values, outputs, env map[string]json.RawMessage
	times                map[string]int
	run                  expr.Run
}

// defaults adds the values that the document gives. A constant has the one that is
// written now, whatever the run had.
func (s *sample) defaults(variables []engine.Variable) {
	for i := range variables {
		v := &variables[i]
		_, has := s.values[v.Name]
		if len(v.Value) > 0 && !v.Secret && (!has || v.Source == engine.SourceConstant) {
			s.values[v.Name] = v.Value
		}
	}
}

// Variable implements expr.Scope.
func (s *sample) Variable(name string) json.RawMessage { return s.values[name] }

// Outputs implements expr.Scope.
func (s *sample) Outputs(node string) json.RawMessage { return s.outputs[node] }

// Iterations implements expr.Scope.
func (s *sample) Iterations(node string) int { return s.times[node] }

// Environment implements expr.Scope.
func (s *sample) Environment() map[string]json.RawMessage { return s.env }

// Run implements expr.Scope.
func (s *sample) Run() expr.Run { return s.run }
