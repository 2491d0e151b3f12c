package strict_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/strict"
)

// TestCheck: what is refused, and why; what is accepted.
func TestCheck(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{}`:                             "",
		` [1,-0,2.5e+3,"é😀",true,null] `: "",
		`"\ud83d\ude00"`:                 "",
		`{"a":{"b":1},"b":2}`:            "",
		``:                               "unexpected end",
		`{"a":1,"a":2}`:                  `member "a" occurs twice`,
		`{"a":1,"\u0061":2}`:             `member "a" occurs twice`,
		`{"x":[{"k":1,"k":2}]}`:          `member "k" occurs twice`,
		`NaN`:                            "unexpected character",
		`[1,]`:                           "unexpected character",
		`{"a":1,}`:                       "name of a member",
		`{'a':1}`:                        "name of a member",
		`01`:                             "text behind",
		`1.`:                             "malformed number",
		`-`:                              "malformed number",
		`1e`:                             "malformed number",
		`"\ud83d"`:                       "lone surrogate",
		`"\ude00"`:                       "lone surrogate",
		`"\ud83dx"`:                      "lone surrogate",
		`"\x41"`:                         "unknown escape",
		`"\u00g0"`:                       "malformed escape",
		"\"a\nb\"":                       "control character",
		"\"\xff\"":                       "not UTF-8",
		`"abc`:                           "unexpected end",
		`{} {}`:                          "text behind",
		`tru`:                            "unexpected character",
		strings.Repeat("[", 64) + strings.Repeat("]", 64): "",
		strings.Repeat("[", 65) + strings.Repeat("]", 65): "64 levels",
		strings.Repeat("[", 1_000_000):                    "64 levels",
	} {
		err := strict.Check([]byte(in))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.60q: %v, want %q", in, err, want)
		}
	}
}

// FuzzCheck: what is accepted, encoding/json accepts too.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-7,"x\u00e9"]}`, `[[[]]]`, `"\ud83d\ude00"`, `-0.0`, `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if strict.Check(b) == nil && !json.Valid(b) {
			t.Fatalf("accepted %q", b)
		}
	})
}
