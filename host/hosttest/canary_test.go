package hosttest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/hosttest"
)

// A search that finds nothing is worth something only if it would find what is there.
func TestACanaryIsFoundInEveryForm(t *testing.T) {
	t.Parallel()
	const value = `c4nary/"word"+é <of the day>`
	c := hosttest.Canaries{"the canary": value}
	js, err := json.Marshal(map[string]string{"a": "before " + value + " after"})
	if err != nil {
		t.Fatal(err)
	}
	nested, err := json.Marshal(string(js))
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(js)
	_ = z.Close()
	texts := map[string]string{
		"itself": "x" + value + "y", "JSON": string(js), "JSON in JSON": string(nested), "gzip": zipped.String(),
		"hex": "00" + hex.EncodeToString([]byte(value)) + "ff", "upper hex": strings.ToUpper(hex.EncodeToString([]byte(value))),
		"query": "?a=" + url.QueryEscape(value) + "&b", "path": "/" + url.PathEscape(value), "HTML": "<p>" + html.EscapeString(value) + "</p>",
	}
	for before := range 6 {
		for after := range 4 {
			text := strings.Repeat("p", before) + value + strings.Repeat("q", after)
			texts[fmt.Sprint("base64 ", before, after)] = base64.StdEncoding.EncodeToString([]byte(text))
			texts[fmt.Sprint("base64 of URLs ", before, after)] = base64.RawURLEncoding.EncodeToString([]byte(text))
		}
	}
	for name, text := range texts {
		if hits := c.Search("it", []byte(text)); len(hits) == 0 {
			t.Errorf("%s: not found", name)
		} else if strings.Contains(fmt.Sprint(hits), "c4nary") {
			t.Errorf("%s: the hit shows the canary: %v", name, hits)
		}
	}
	for _, text := range []string{"", "c4nary", "word", strings.Repeat("x", 1000), "***"} {
		if hits := c.Search("it", []byte(text)); len(hits) != 0 {
			t.Errorf("%q: found %v", text, hits)
		}
	}
}
