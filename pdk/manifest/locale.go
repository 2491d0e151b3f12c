package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// LocaleFile is the path of the Chinese texts of a plugin, relative to its source.
const LocaleFile = "locale/zh.json"

// keyI18n holds the translations of a schema's texts, by language.
const keyI18n = "ui:i18n"

// locale hands out translations and remembers what was asked for.
type locale struct {
	texts   map[string]string
	missing []string
	used    map[string]bool
}

// translate puts the translations of the locale file into the manifest. Without such
// a file the manifest has English only. With it, a missing and a superfluous entry are
// both errors, all reported at once.
func translate(m *contract.Manifest, dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(LocaleFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("locale: %w", err)
	}
	l := locale{used: map[string]bool{}}
	if err := json.Unmarshal(raw, &l.texts); err != nil {
		return &Problem{File: LocaleFile, Code: "LOCALE_FORM", Message: "is not an object of texts: " + err.Error()}
	}
	l.text("/title", &m.Title)
	l.text("/doc", &m.Doc)
	for i := range m.Actions {
		if err := l.action(&m.Actions[i]); err != nil {
			return err
		}
	}
	return l.err()
}

func (l *locale) action(a *contract.Action) error {
	at := "/actions/" + a.ID
	l.text(at+"/title", &a.Title)
	l.text(at+"/doc", &a.Doc)
	var err error
	if a.Inputs, err = l.schema(at+"/inputs", a.Inputs); err != nil {
		return err
	}
	a.Outputs, err = l.schema(at+"/outputs", a.Outputs)
	return err
}

// text fills in the Chinese of a text that has none.
func (l *locale) text(at string, t *contract.Text) {
	if t.IsZero() || t.Zh != "" && t.Zh != t.En {
		return
	}
	if zh, ok := l.lookup(at); ok {
		t.Zh = zh
	}
}

func (l *locale) lookup(at string) (string, bool) {
	zh, ok := l.texts[at]
	if !ok || strings.TrimSpace(zh) == "" {
		l.missing = append(l.missing, at)
		return "", false
	}
	l.used[at] = true
	return zh, true
}

// schema adds ui:i18n beside every text of a schema.
func (l *locale) schema(at string, raw json.RawMessage) (json.RawMessage, error) {
	var node map[string]json.RawMessage
	if err := json.Unmarshal(raw, &node); err != nil {
		return raw, nil //nolint:nilerr // true and false are schemas without texts
	}
	if err := l.children(at, node); err != nil {
		return nil, err
	}
	zh := map[string]any{}
	for _, key := range []string{"title", "description", "ui:placeholder", "ui:help"} {
		// A placeholder is an example more often than a text: it may stay as it is.
		if node[key] == nil || key == "ui:placeholder" && l.texts[at+"/"+key] == "" {
			continue
		}
		if text, ok := l.lookup(at + "/" + key); ok {
			zh[strings.TrimPrefix(key, "ui:")] = text
		}
	}
	if names := l.enumNames(at, node["oneOf"]); names != nil {
		zh["enumNames"] = names
	}
	if len(zh) > 0 {
		i18n, err := json.Marshal(map[string]any{"zh": zh})
		if err != nil {
			return nil, err
		}
		node[keyI18n] = i18n
	}
	return reorder(raw, node)
}

// children translates the schemas below a schema.
func (l *locale) children(at string, node map[string]json.RawMessage) error {
	for _, key := range []string{"items", "additionalProperties"} {
		if node[key] == nil {
			continue
		}
		child, err := l.schema(at+"/"+key, node[key])
		if err != nil {
			return err
		}
		node[key] = child
	}
	if node["properties"] == nil {
		return nil
	}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(node["properties"], &properties); err != nil {
		return fmt.Errorf("%s/properties: %w", at, err)
	}
	for name, p := range properties {
		child, err := l.schema(at+"/properties/"+name, p)
		if err != nil {
			return err
		}
		properties[name] = child
	}
	var err error
	node["properties"], err = reorder(node["properties"], properties)
	return err
}

// enumNames translates the labels of an enumeration, in its order.
func (l *locale) enumNames(at string, oneOf json.RawMessage) []string {
	var entries []struct {
		Title string `json:"title"`
	}
	if json.Unmarshal(oneOf, &entries) != nil {
		return nil
	}
	var names []string
	for i, e := range entries {
		if e.Title == "" {
			return nil
		}
		name, _ := l.lookup(at + "/oneOf/" + strconv.Itoa(i) + "/title")
		names = append(names, name)
	}
	return names
}

func (l *locale) err() error {
	var errs []error
	for _, at := range slices.Sorted(slices.Values(l.missing)) {
		errs = append(errs, &Problem{File: LocaleFile, Field: at, Code: "LOCALE_MISSING", Message: "there is no text for it"})
	}
	for _, at := range slices.Sorted(maps.Keys(l.texts)) {
		if !l.used[at] && !slices.Contains(l.missing, at) {
			errs = append(errs, &Problem{File: LocaleFile, Field: at, Code: "LOCALE_UNKNOWN", Message: "is no text of this plugin"})
		}
	}
	return errors.Join(errs...)
}

// reorder writes an object with its keys in the order that they have in was, and new
// ones behind: the order of properties is the order of a form.
func reorder(was json.RawMessage, object map[string]json.RawMessage) (json.RawMessage, error) {
	keys, err := keysOf(was)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(object[k])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func keysOf(raw json.RawMessage) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var keys []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		k, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a key", t)
		}
		keys = append(keys, k)
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
