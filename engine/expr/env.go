package expr

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
)

// Decl declares a name with the schema of its values.
type Decl struct {
	Name   string
	Schema *Schema
	// Secret marks a variable that can be passed on whole and used in no other way.
	Secret bool
}

// Config is what expressions of one flow may name.
type Config struct {
	// Variables are the flow's.
	Variables []Decl
	// Nodes are the task nodes, with the schemas of their outputs.
	Nodes []Decl
}

// Env compiles expressions. It belongs to one goroutine until Seal, and is safe for
// concurrent use after it.
type Env struct {
	cel       *cel.Env
	types     *typeSet
	variables map[string]*Schema
	nodes     map[string]*Schema
	computed  map[string]*Program
	secrets   map[string]bool
	// memo keeps what was compiled until Seal: large flows repeat themselves.
	memo map[string]*Program
}

// Run is what expressions see as run.
type Run struct {
	ID, Name, Project, Operator string
	StartedAt                   time.Time
}

// Scope gives the values of one run at one moment.
type Scope interface {
	// Variable returns the value of a variable, nil when it has none.
	Variable(name string) json.RawMessage
	// Outputs returns those of a node, nil when it has not ended yet.
	Outputs(node string) json.RawMessage
	// Iterations counts how often a loop or a repetition has entered a node, from 1; 0
	// before the first time.
	Iterations(node string) int
	// Environment returns the project's variables.
	Environment() map[string]json.RawMessage
	// Run returns the run's own facts.
	Run() Run
}

// reserved are the names that are not variables.
//
//nolint:gochecknoglobals // an immutable list
var reserved = []string{
	"nodes", "env", "run", "secrets",
	// CEL's own words.
	"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
	"namespace", "null", "package", "return", "true", "var", "void", "while",
	// Names of CEL types: a variable would hide them.
	"bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "timestamp", "duration", "type", "uint", "culm",
}

// Reserved reports whether a name cannot be that of a variable.
func Reserved(name string) bool { return slices.Contains(reserved, name) }

// NewEnv makes the environment of a flow.
func NewEnv(c Config) (*Env, error) {
	base, err := cel.NewEnv(
		cel.ParserRecursionLimit(RecursionMax),
		cel.ParserExpressionSizeLimit(SourceMaxRunes),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		stringLibrary(),
		importedLibrary(),
	)
	if err != nil {
		return nil, fmt.Errorf("expr: %w", err)
	}
	e := &Env{
		types: newTypeSet(base.CELTypeProvider()), variables: map[string]*Schema{}, nodes: map[string]*Schema{},
		computed: map[string]*Program{}, memo: map[string]*Program{}, secrets: map[string]bool{},
	}
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(e.types),
		cel.Variable("env", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("run", cel.ObjectType(typeRun)),
		cel.Variable("nodes", cel.ObjectType(typeNodes)),
	}
	e.declareRun()
	e.declareNodes(c.Nodes)
	for _, v := range c.Variables {
		e.variables[v.Name] = v.Schema
		if v.Secret {
			e.secrets[v.Name] = true
			opts = append(opts, cel.Variable(v.Name, cel.OpaqueType(typeSecret)))
			continue
		}
		opts = append(opts, cel.Variable(v.Name, e.types.typeOf(v.Schema, typeVar+v.Name)))
	}
	if e.cel, err = base.Extend(opts...); err != nil {
		return nil, fmt.Errorf("expr: %w", err)
	}
	return e, nil
}

func (e *Env) declareRun() {
	fields := map[string]*fieldType{"started_at": {cel: cel.TimestampType, schema: &Schema{}}}
	for _, name := range []string{"id", "name", "project", "operator"} {
		fields[name] = &fieldType{cel: cel.StringType, schema: &Schema{}}
	}
	e.types.objects[typeRun] = &objectType{name: typeRun, fields: fields}
}

func (e *Env) declareNodes(nodes []Decl) {
	all := &objectType{name: typeNodes, fields: map[string]*fieldType{}}
	for _, n := range nodes {
		e.nodes[n.Name] = n.Schema
		name := typeNode + n.Name
		e.types.objects[name] = &objectType{name: name, fields: map[string]*fieldType{
			"outputs":    {cel: e.types.typeOf(n.Schema, name+".outputs"), schema: n.Schema},
			"iterations": {cel: cel.IntType, schema: &Schema{}},
		}}
		all.fields[n.Name] = &fieldType{cel: cel.ObjectType(name), schema: n.Schema}
	}
	e.types.objects[typeNodes] = all
}

// Compute declares that a variable is the value of an expression.
func (e *Env) Compute(name string, p *Program) { e.computed[name] = p }

// Seal ends the making of the environment: no Compute comes after it.
func (e *Env) Seal() { e.memo = nil }

// Compile parses and type-checks an expression. An error is an *Error with Offset; one
// that names a secret is CodeSecret.
func (e *Env) Compile(src string) (*Program, error) {
	p, err := e.program(src)
	if err == nil && p.secret != "" {
		return nil, misused(p.secret, 0)
	}
	return p, err
}

// program is Compile for a place that takes a secret too, when it is all there is.
func (e *Env) program(src string) (*Program, error) {
	if p, ok := e.memo[src]; ok {
		return p, nil
	}
	p, err := e.compile(src)
	if err == nil && e.memo != nil {
		e.memo[src] = p
	}
	return p, err
}

func (e *Env) compile(src string) (*Program, error) {
	if utf8.RuneCountInString(src) > SourceMaxRunes {
		return nil, fail(CodeSyntax, "the expression is longer than %d characters", SourceMaxRunes).because("EXPR_LONG", SourceMaxRunes)
	}
	parsed, iss := e.cel.Parse(src)
	if iss.Err() != nil {
		return nil, issueError(src, iss, true)
	}
	secret, misuse := e.secretIn(parsed, src)
	if misuse != nil {
		return nil, misuse
	}
	checked, iss := e.cel.Check(parsed)
	if iss.Err() != nil {
		return nil, issueError(src, iss, false)
	}
	prog, err := e.cel.Program(checked, cel.CostTracking(libraryCost{}), cel.CostLimit(CostMax))
	if err != nil {
		return nil, fail(CodeType, "%v", err)
	}
	names, nodes := e.namesIn(checked)
	return &Program{env: e, prog: prog, out: checked.OutputType(), names: names, nodes: nodes, secret: secret}, nil
}

// CompileBool compiles a condition.
func (e *Env) CompileBool(src string) (*Program, error) {
	p, err := e.Compile(src)
	if err != nil {
		return nil, err
	}
	if !p.out.IsExactType(cel.BoolType) && !p.out.IsExactType(cel.DynType) {
		return nil, fail(CodeType, "a condition is a bool, this is %s", p.out).because("EXPR_CONDITION", p.out)
	}
	return p, nil
}
