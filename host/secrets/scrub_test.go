package secrets_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/secrets"
)

func TestScrubberTakesEveryEncodingOutOfATextThatMayBeJSON(t *testing.T) {
	t.Parallel()
	const secret = `p/ss"wörd&42`
	s := secrets.NewScrubber(&secrets.Credential{Kind: secrets.KindBasic, Username: "u", Secret: secrets.NewSecret(secret)}).
		With("typed-in-a-form", "short")
	for name, text := range map[string]string{
		"plain": "a " + secret + " b", "in JSON": `{"a":"p/ss\"wörd&42"}`, "escaped": `{"a":["\u0070/ss\"w\u00f6rd\u002642"]}`,
		"JSON in a text": `{"a":"{\"b\":\"\\u0070/ss\\\"wörd&42\"}"}`,
		"a form":         url.QueryEscape(secret), "hex": hex.EncodeToString([]byte(secret)),
		"base64": base64.StdEncoding.EncodeToString([]byte("u:" + secret)), "further": `{"x":"\u0074yped-in-a-form"}`,
	} {
		got := s.Any(text)
		for _, part := range []string{"wörd", "w\\u00f6rd", "rd&42", "typed-in", hex.EncodeToString([]byte("rd&42"))} {
			if strings.Contains(got, part) {
				t.Errorf("%s is left as %s", name, got)
			}
		}
		if !strings.Contains(got, secrets.Mask) {
			t.Errorf("%s became %s", name, got)
		}
	}
	for _, text := range []string{`{ "b": "\u0041",  "a":1 }`, "short", `{"a":"x\\y"}`, `not \json`} {
		if got := s.Any(text); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
	if got := (*secrets.Scrubber)(nil).Any(secret); got != secret {
		t.Errorf("a nil scrubber changed %s", got)
	}
}
