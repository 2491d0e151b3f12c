package openapi

import (
	"errors"
	"fmt"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/systems"
)

// The codes of what can be wrong with an OpenAPI document, or with a part of it. Clients
// translate by them: what a message names stands in the arguments, "a", "b" and so on.
const (
	CodeBodyMethod        = "BODY_METHOD"
	CodeBodyMethodNeeded  = "BODY_METHOD_NEEDED"
	CodeBodyType          = "BODY_TYPE"
	CodeBodyTypeNeeded    = "BODY_TYPE_NEEDED"
	CodeDocumentDeep      = "DOCUMENT_DEEP"
	CodeDocumentEmpty     = "DOCUMENT_EMPTY"
	CodeDocumentForm      = "DOCUMENT_FORM"
	CodeDocumentLarge     = "DOCUMENT_LARGE"
	CodeDocumentYAML      = "DOCUMENT_YAML_LARGE"
	CodeDocumentOther     = "DOCUMENT_OTHER"
	CodeDocumentSwagger   = "DOCUMENT_SWAGGER"
	CodeDocumentVersion   = "DOCUMENT_VERSION"
	CodeNoPaths           = "NO_PATHS"
	CodeParameterContent  = "PARAMETER_CONTENT"
	CodeParameterCookie   = "PARAMETER_COOKIE"
	CodeParameterHeader   = "PARAMETER_HEADER"
	CodeParameterList     = "PARAMETER_LIST"
	CodeParameterObject   = "PARAMETER_OBJECT"
	CodeParameterPlace    = "PARAMETER_PLACE"
	CodeParameterStyle    = "PARAMETER_STYLE"
	CodeParameterTwice    = "PARAMETER_TWICE"
	CodePathParameter     = "PATH_PARAMETER"
	CodeReferenceLoop     = "REFERENCE_LOOP"
	CodeReferenceMissing  = "REFERENCE_MISSING"
	CodeReferenceObject   = "REFERENCE_OBJECT"
	CodeReferenceOutside  = "REFERENCE_OUTSIDE"
	CodeSchemaForm        = "SCHEMA_FORM"
	CodeSchemasMany       = "SCHEMAS_MANY"
	CodeOperationsTooMany = "OPERATIONS_TOO_MANY"
)

// flawed says what is wrong with a document or a part of it. Its text is a predicate: "has no
// paths".
func flawed(code, format string, args ...any) error { return document.Coded(code, format, args...) }

// skipped says why an operation, or a part of it, is left out.
func skipped(method, path string, err error) Skipped {
	s := Skipped{Method: method, Path: clip(path, titleMax), Reason: err.Error()}
	var of *partError
	if errors.As(err, &of) {
		s.Of = clip(of.name, titleMax)
	}
	s.Code, s.Args = systems.CodeOf(err)
	return s
}

// partError says which parameter of an operation a flaw is of.
type partError struct {
	name string
	err  error
}

// Error reads "the parameter X has no schema".
func (e *partError) Error() string { return fmt.Sprintf("the parameter %.100s %v", e.name, e.err) }

// Unwrap returns what is wrong.
func (e *partError) Unwrap() error { return e.err }
