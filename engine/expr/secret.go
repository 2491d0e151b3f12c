package expr

import (
	"encoding/json"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// SecretRefPrefix begins every reference to a secret. A secret variable holds such a
// reference; what it stands for is known to the gateway alone.
const SecretRefPrefix = "culm-secret://"

// ProjectSecretPrefix begins the references to the secrets of a project.
const ProjectSecretPrefix = SecretRefPrefix + "project/"

// IsSecretRef reports whether a text is a reference to a secret.
func IsSecretRef(text string) bool { return strings.HasPrefix(text, SecretRefPrefix) }

// SecretNamePattern is what the name of a project's secret looks like.
const SecretNamePattern = `[A-Za-z][A-Za-z0-9_]{0,63}`

var boundSecret = regexp.MustCompile(`^\s*secrets\.(` + SecretNamePattern + `)\s*$`)

// ProjectSecret returns the NAME of an expression that is exactly secrets.NAME, or
// false.
func ProjectSecret(src string) (name string, ok bool) {
	m := boundSecret.FindStringSubmatch(src)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// SecretPart is a place of a template where a secret is passed on.
type SecretPart struct {
	// Pointer is the place in the value (JSON Pointer).
	Pointer string
	// Variable is the name of the secret variable.
	Variable string
}

// Secrets returns the places where the template passes secrets on, in their order.
func (t *Template) Secrets() []SecretPart { return t.secrets }

// secret notes a secret that is a whole text, and refuses one that is a piece of it.
func (c *templateCompiler) secret(name, at string, whole bool) error {
	if !whole {
		return misused(name, 0)
	}
	c.t.secrets = append(c.t.secrets, SecretPart{Pointer: at, Variable: name})
	return nil
}

// secretIn finds the secret that is a whole expression. An expression that does anything
// else with one is refused by its shape, before any operator that takes every type could
// let it through.
func (e *Env) secretIn(parsed *cel.Ast, src string) (string, *Error) {
	if len(e.secrets) == 0 {
		return "", nil
	}
	root := parsed.NativeRep().Expr()
	if root.Kind() == ast.IdentKind && e.secrets[root.AsIdent()] {
		return root.AsIdent(), nil
	}
	var found *Error
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(x ast.Expr) {
		if found != nil || x.Kind() != ast.IdentKind || !e.secrets[x.AsIdent()] {
			return
		}
		at := parsed.NativeRep().SourceInfo().GetStartLocation(x.ID())
		found = misused(x.AsIdent(), offsetOf(src, at.Line(), at.Column()))
	}))
	return "", found
}

func misused(name string, offset int) *Error {
	e := fail(CodeSecret, "the secret %s can only be passed on whole, as ${%s} and nothing else, to an input that takes a secret", name, name).because("EXPR_WHOLE", name)
	e.Name, e.Offset = name, offset
	return e
}

// TakesSecret reports whether a secret may stand at a place of a value: the schema of the
// place, or of something around it, says so (x-secret: true or inside, or the format password).
func (s *Schema) TakesSecret(pointer string) bool {
	for depth := 0; s != nil && depth < schemaDepthMax; depth++ {
		if s.isSecret(0) || s.isHolder(0) {
			return true
		}
		if pointer == "" {
			return false
		}
		token, rest, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
		if rest != "" {
			rest = "/" + rest
		}
		pointer = rest
		s = s.at(strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return false
}

// SecretText reports whether the schema is that of a text that is a secret.
func (s *Schema) SecretText() bool { return s.isSecret(0) && s.Type() == "string" }

func (s *Schema) isSecret(depth int) bool {
	if s == nil || depth > schemaDepthMax {
		return false
	}
	return s.secret || s.ref.isSecret(depth+1)
}

func (s *Schema) isHolder(depth int) bool {
	if s == nil || depth > schemaDepthMax {
		return false
	}
	return s.holder || s.ref.isHolder(depth+1)
}

// at returns the schema of a property or item.
func (s *Schema) at(token string) *Schema {
	s = s.target()
	if p, ok := s.properties[token]; ok {
		return p
	}
	if s.items != nil {
		return s.items
	}
	return s.additional
}

// Secret returns the schema as one whose value is a secret.
func (s *Schema) Secret() *Schema {
	own := *s
	own.secret = true
	return &own
}

// IsSecretRefJSON reports whether a JSON value is a reference to a secret.
func IsSecretRefJSON(raw json.RawMessage) bool {
	var text string
	return json.Unmarshal(raw, &text) == nil && IsSecretRef(text)
}
