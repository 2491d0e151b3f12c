package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// inSource finds the places in the source of a Go plugin that the fields of an error
// come from: the manifest itself was never a file.
func inSource(dir string, m contract.Manifest, err error) error {
	all := FieldErrors(err)
	if len(all) == 0 {
		return err
	}
	place := GoPlaces(dir, m)
	for _, f := range all {
		at := place(f.Field)
		f.File, f.Line, f.Column = at.Filename, at.Line, at.Column
	}
	return err
}

// GoPlaces reads the source of the Go plugin in dir and returns a function that tells
// where a field of its manifest, a JSON pointer, comes from, or the nearest place around
// it; the zero position where nothing is known.
func GoPlaces(dir string, m contract.Manifest) func(field string) token.Position {
	s := readSource(dir)
	return func(field string) token.Position {
		if pos := s.place(m, strings.Split(field, "/")[1:]); pos.IsValid() {
			return s.files.Position(pos)
		}
		return token.Position{}
	}
}

// source is what a plugin's package says about its manifest.
type source struct {
	files *token.FileSet
	// types are the declared types by name, actions the literals of the actions by id.
	types   map[string]ast.Expr
	actions map[string]*ast.CompositeLit
	plugin  *ast.CompositeLit
}

// readSource reads a package. What cannot be read is left out: it is only about where.
func readSource(dir string) *source {
	s := &source{files: token.NewFileSet(), types: map[string]ast.Expr{}, actions: map[string]*ast.CompositeLit{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") || e.Type()&fs.ModeType != 0 {
			continue
		}
		f, err := parser.ParseFile(s.files, filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err == nil {
			ast.Inspect(f, s.visit)
		}
	}
	return s
}

func (s *source) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.TypeSpec:
		s.types[n.Name.Name] = n.Type
	case *ast.CompositeLit:
		if t, ok := n.Type.(*ast.IndexListExpr); ok && len(t.Indices) == 2 && named(t.X, "Action") {
			if id, ok := member(n, "ID").(*ast.BasicLit); ok {
				if text, err := strconv.Unquote(id.Value); err == nil {
					s.actions[text] = n
				}
			}
		}
		if named(n.Type, "Plugin") {
			s.plugin = n
		}
	}
	return true
}

// named reports whether an expression is a name, of this package or another.
func named(e ast.Expr, name string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == name
	case *ast.SelectorExpr:
		return e.Sel.Name == name
	}
	return false
}

// member returns the value of a field in a literal, or nil.
func member(lit *ast.CompositeLit, name string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && named(kv.Key, name) {
			return kv.Value
		}
	}
	return nil
}

// fieldNames maps names in the manifest to the fields of pdk.Plugin and pdk.Action.
func fieldName(name string) string {
	switch name {
	case "id":
		return "ID"
	case "timeout_ms":
		return "Timeout"
	}
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// place finds where a field of the manifest was written, or the nearest place around it.
func (s *source) place(m contract.Manifest, path []string) token.Pos {
	if len(path) > 1 && path[0] == "actions" {
		i, err := strconv.Atoi(path[1])
		if err != nil || i >= len(m.Actions) || s.actions[m.Actions[i].ID] == nil {
			return s.inPlugin(path[:1])
		}
		return s.inAction(s.actions[m.Actions[i].ID], path[2:])
	}
	return s.inPlugin(path)
}

func (s *source) inPlugin(path []string) token.Pos {
	if s.plugin == nil {
		return token.NoPos
	}
	if len(path) == 0 {
		return s.plugin.Pos()
	}
	value := member(s.plugin, fieldName(path[0]))
	if value == nil {
		return s.plugin.Pos()
	}
	if list, ok := value.(*ast.CompositeLit); ok && len(path) > 1 {
		if i, err := strconv.Atoi(path[1]); err == nil && i < len(list.Elts) {
			return list.Elts[i].Pos()
		}
	}
	return value.Pos()
}

func (s *source) inAction(lit *ast.CompositeLit, path []string) token.Pos {
	if len(path) == 0 {
		return lit.Pos()
	}
	types := lit.Type.(*ast.IndexListExpr).Indices //nolint:forcetypeassert // visit has looked
	switch path[0] {
	case "inputs":
		return s.inType(types[0], path[1:], types[0].Pos())
	case "outputs":
		return s.inType(types[1], path[1:], types[1].Pos())
	}
	if value := member(lit, fieldName(path[0])); value != nil {
		return value.Pos()
	}
	return lit.Pos()
}

// inType follows a path of a schema through the type that it was made from. known is
// the nearest place so far.
func (s *source) inType(e ast.Expr, path []string, known token.Pos) token.Pos {
	for range 32 { // types that name each other end somewhere
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.ParenExpr:
			e = t.X
		case *ast.Ident:
			next, ok := s.types[t.Name]
			if !ok {
				return known
			}
			e = next
		case *ast.ArrayType:
			if len(path) == 0 || path[0] != "items" {
				return known
			}
			e, path = t.Elt, path[1:]
		case *ast.MapType:
			if len(path) == 0 || path[0] != "additionalProperties" {
				return known
			}
			e, path = t.Value, path[1:]
		case *ast.StructType:
			return s.inStruct(t, path, known)
		default:
			return known
		}
	}
	return known
}

func (s *source) inStruct(t *ast.StructType, path []string, known token.Pos) token.Pos {
	if len(path) < 2 || path[0] != "properties" {
		return known
	}
	f := s.field(t, strings.NewReplacer("~1", "/", "~0", "~").Replace(path[1]))
	if f == nil {
		return known
	}
	at := f.Pos()
	if len(f.Names) > 0 {
		at = f.Names[0].Pos()
	}
	rest := path[2:]
	structural := []string{"properties", "items", "additionalProperties"}
	if len(rest) > 0 && !slices.Contains(structural, rest[0]) && f.Tag != nil {
		return f.Tag.Pos() // a keyword is written in the tag
	}
	return s.inType(f.Type, rest, at)
}

// field finds the field of a struct that has a JSON name, also in what it embeds.
func (s *source) field(t *ast.StructType, name string) *ast.Field {
	for _, f := range t.Fields.List {
		own := jsonName(f)
		if own == name || own == "" && len(f.Names) == 1 && f.Names[0].Name == name {
			return f
		}
		if own != "" || len(f.Names) > 0 {
			continue
		}
		embedded, _ := f.Type.(*ast.Ident)
		if embedded == nil {
			continue
		}
		if inner, ok := s.types[embedded.Name].(*ast.StructType); ok {
			if found := s.field(inner, name); found != nil {
				return found
			}
		}
	}
	return nil
}

// jsonName is the name in a field's json tag, "" where there is none.
func jsonName(f *ast.Field) string {
	if f.Tag == nil {
		return ""
	}
	text, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
	return name
}
