package manifest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/manifest"
)

// ShowIn shows everything that a form can
// say.
//
//	as it is
type ShowIn struct {
	// Name is the
	// name.
	Name string `json:"name" jsonschema:"minLength=1" ui:"placeholder=web;options.rows=4;advanced"`
	// Where it goes.
	Kind string `json:"kind,omitempty" title:"Sort" choices:"a:First|b:Second: really"`
	// Several of them.
	Many  []string `json:"many" choices:"x:X|y:Y" x:"source=many;depends=name|kind"`
	Token string   `json:"token" x:"secret;expression=forbidden"`
	// The items.
	Items  []Item    `json:"items,omitzero"`
	When   time.Time `json:"when,omitzero"`
	Size   Size      `json:"size"`
	hidden string
	Out    string `json:"-"`
}

// Item is one of the items.
type Item struct {
	// What it costs.
	Price float64 `json:"price"`
}

// Size brings its own schema.
type Size string

// SchemaJSON is the schema of a Size.
func (Size) SchemaJSON() string { return `{"type":"string","enum":["s","m"],"ui:widget":"radio"}` }

func source(dir string) manifest.Source {
	return manifest.Source{
		Dir: dir,
		Manifest: contract.Manifest{
			Format: contract.ManifestFormat, ID: "show", Version: "1.0.0", Title: contract.Text{En: "Show"},
		},
		Actions: []manifest.Action{{
			Action: contract.Action{ID: "show", Title: contract.Text{En: "Show"}},
			In:     reflect.TypeFor[ShowIn](), Out: reflect.TypeFor[Item](),
			Defaults: ShowIn{Name: "n", Size: "m", hidden: "x"},
		}},
	}
}

func TestReflect(t *testing.T) {
	t.Parallel()
	m, err := manifest.Reflect(source("."))
	if err != nil {
		t.Fatal(err)
	}
	a := m.Actions[0]
	if want := "Shows everything that a form can say.\n\n\tas it is"; a.Doc.En != want {
		t.Errorf("doc %q, want %q", a.Doc.En, want)
	}
	const want = `{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{` +
		`"name":{"type":"string","minLength":1,"title":"Name","description":"The name.","default":"n","ui:advanced":true,"ui:options":{"rows":4},"ui:placeholder":"web"},` +
		`"kind":{"oneOf":[{"const":"a","title":"First"},{"const":"b","title":"Second: really"}],"type":"string","title":"Sort","description":"Where it goes."},` +
		`"many":{"items":{"oneOf":[{"const":"x","title":"X"},{"const":"y","title":"Y"}],"type":"string"},"type":"array","title":"Many","description":"Several of them.","x-source":{"dependsOn":["name","kind"],"name":"many"}},` +
		`"token":{"type":"string","format":"password","title":"Token","writeOnly":true,"x-expression":"forbidden","x-secret":true},` +
		`"items":{"items":{"properties":{"price":{"type":"number","title":"Price","description":"What it costs."}},"additionalProperties":false,"type":"object","required":["price"],"description":"One of the items."},"type":"array","title":"Items","description":"The items."},` +
		`"when":{"type":"string","format":"date-time","title":"When"},` +
		`"size":{"type":"string","enum":["s","m"],"title":"Size","default":"m","ui:widget":"radio"}},` +
		`"additionalProperties":false,"type":"object","required":["many","token"]}`
	if got := string(a.Inputs); got != want {
		t.Errorf("inputs\n%s, want\n%s", got, want)
	}
}

// Loop contains itself.
type Loop struct {
	Next []Loop `json:"next"`
}

// BadTags has tags that mean nothing.
type BadTags struct {
	A string `json:"a" choices:"x"`
	B string `json:"b" ui:"widget=text;;"`
	C string `json:"c" x:"depends=a"`
}

// BadSize brings a text that is no schema.
type BadSize string

// SchemaJSON is broken.
func (BadSize) SchemaJSON() string { return `{` }

func TestReflectRefusesWhatHasNoSchema(t *testing.T) {
	t.Parallel()
	for says, typ := range map[string]reflect.Type{
		"contains itself":   reflect.TypeFor[Loop](),
		"a: choices tag":    reflect.TypeFor[BadTags](),
		"b: ui tag":         reflect.TypeFor[BadTags](),
		"c: x tag":          reflect.TypeFor[BadTags](),
		"not strings":       reflect.TypeFor[struct{ M map[int]string }](),
		"is not JSON":       reflect.TypeFor[struct{ F func() }](),
		"neither a struct":  reflect.TypeFor[string](),
		"schema of":         reflect.TypeFor[struct{ S []BadSize }](),
		"action show: inpu": reflect.TypeFor[[]int](),
	} {
		s := source(".")
		s.Actions[0].In, s.Actions[0].Defaults = typ, nil
		if _, err := manifest.Reflect(s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
}

func TestReflectReportsEveryAction(t *testing.T) {
	t.Parallel()
	s := source(".")
	s.Actions[0].In = reflect.TypeFor[Loop]()
	s.Actions = append(s.Actions, s.Actions[0])
	s.Actions[1].ID = "second"
	if _, err := manifest.Reflect(s); err == nil || !strings.Contains(err.Error(), "action show:") || !strings.Contains(err.Error(), "action second:") {
		t.Fatalf("error %v", err)
	}
}

const complete = `{
	"/title": "展示",
	"/actions/show/title": "展示一下",
	"/actions/show/doc": "说明",
	"/actions/show/inputs/properties/name/title": "名称",
	"/actions/show/inputs/properties/name/description": "名称说明",
	"/actions/show/inputs/properties/name/ui:placeholder": "例如 web",
	"/actions/show/inputs/properties/kind/title": "种类",
	"/actions/show/inputs/properties/kind/description": "去向",
	"/actions/show/inputs/properties/kind/oneOf/0/title": "甲",
	"/actions/show/inputs/properties/kind/oneOf/1/title": "乙",
	"/actions/show/inputs/properties/many/title": "多个",
	"/actions/show/inputs/properties/many/description": "多个值",
	"/actions/show/inputs/properties/many/items/oneOf/0/title": "子",
	"/actions/show/inputs/properties/many/items/oneOf/1/title": "丑",
	"/actions/show/inputs/properties/token/title": "令牌",
	"/actions/show/inputs/properties/items/title": "条目",
	"/actions/show/inputs/properties/items/description": "各条目",
	"/actions/show/inputs/properties/items/items/description": "一个条目",
	"/actions/show/inputs/properties/items/items/properties/price/title": "价格",
	"/actions/show/inputs/properties/items/items/properties/price/description": "多少钱",
	"/actions/show/inputs/properties/when/title": "时间",
	"/actions/show/inputs/properties/size/title": "尺寸",
	"/actions/show/outputs/properties/price/title": "价格",
	"/actions/show/outputs/properties/price/description": "多少钱"
}`

// reflectWith reflects the same source with a locale file.
func reflectWith(t *testing.T, zh string) (contract.Manifest, error) {
	t.Helper()
	s := source(".")
	s.LocaleDir = t.TempDir()
	file := filepath.Join(s.LocaleDir, filepath.FromSlash(manifest.LocaleFile))
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(zh), 0o600); err != nil {
		t.Fatal(err)
	}
	return manifest.Reflect(s)
}

func TestLocale(t *testing.T) {
	t.Parallel()
	m, err := reflectWith(t, complete)
	if err != nil {
		t.Fatal(err)
	}
	if m.Title.Zh != "展示" || m.Actions[0].Title.Zh != "展示一下" || m.Actions[0].Doc.Zh != "说明" {
		t.Errorf("titles %+v %+v", m.Title, m.Actions[0])
	}
	var in struct {
		Properties map[string]struct {
			I18n map[string]struct {
				Title, Description, Placeholder string
				EnumNames                       []string
			} `json:"ui:i18n"`
		}
	}
	if err := json.Unmarshal(m.Actions[0].Inputs, &in); err != nil {
		t.Fatal(err)
	}
	name, kind := in.Properties["name"].I18n["zh"], in.Properties["kind"].I18n["zh"]
	if name.Title != "名称" || name.Description != "名称说明" || name.Placeholder != "例如 web" || strings.Join(kind.EnumNames, "") != "甲乙" {
		t.Errorf("texts %+v %+v", name, kind)
	}
	order := []string{`"name":{`, `"kind":{`, `"many":{`, `"token":{`, `"when":{`, `"size":{`}
	at := -1
	for _, key := range order {
		next := strings.Index(string(m.Actions[0].Inputs), key)
		if next <= at {
			t.Fatalf("%s is out of order: a form shows fields in the order of the struct", key)
		}
		at = next
	}
}

func TestLocaleMustBeComplete(t *testing.T) {
	t.Parallel()
	gap := strings.Replace(complete, `"/actions/show/inputs/properties/when/title": "时间",`, `"/actions/show/inputs/properties/when/titel": "时间",`, 1)
	gap = strings.Replace(gap, `"甲"`, `" "`, 1)
	_, err := reflectWith(t, gap)
	for _, says := range []string{
		"locale/zh.json: /actions/show/inputs/properties/when/title: there is no text for it",
		"locale/zh.json: /actions/show/inputs/properties/when/titel: is no text of this plugin",
		"locale/zh.json: /actions/show/inputs/properties/kind/oneOf/0/title: there is no text for it",
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
	for _, p := range manifest.Problems(fmt.Errorf("plugin x: %w", err)) {
		if p.File != manifest.LocaleFile || p.Field == "" || p.Code == "" {
			t.Errorf("a program is told %+v", p)
		}
	}
	if _, err := reflectWith(t, `{"/title": {"zh": "x"}}`); err == nil || !strings.Contains(err.Error(), manifest.LocaleFile) {
		t.Errorf("error %v does not name the file", err)
	}
}

func TestAProblemWithoutACodeKeepsWhatWasSaidAroundIt(t *testing.T) {
	t.Parallel()
	inner := errors.Join(errors.New("one"), errors.New("two"))
	got := manifest.Problems(errors.Join(fmt.Errorf("action a: %w", inner), &manifest.Problem{Code: "C", Message: "three"}))
	want := []manifest.Problem{{Message: "action a: one\ntwo"}, {Code: "C", Message: "three"}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := manifest.Problems(nil); got != nil {
		t.Errorf("%+v of no error", got)
	}
}
