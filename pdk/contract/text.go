package contract

import (
	"bytes"
	"encoding/json"
)

// Text is a short human text in the two languages of the product. In JSON it is
// either a plain string, which stands for every language, or an object
// {"en": "...", "zh": "..."}. The zero value is the empty text.
type Text struct {
	En string
	Zh string
}

// T makes a Text that reads the same in every language.
func T(s string) Text { return Text{En: s, Zh: s} }

// In returns the text in the language lang ("en" or "zh"), or the other one
// where that is missing.
func (t Text) In(lang string) string {
	if lang == "zh" && t.Zh != "" {
		return t.Zh
	}
	if t.En != "" {
		return t.En
	}
	return t.Zh
}

// IsZero reports whether the text is empty in every language.
func (t Text) IsZero() bool { return t == Text{} }

// MarshalJSON writes a plain string when both languages agree or one is
// missing, else an object.
func (t Text) MarshalJSON() ([]byte, error) {
	if t.En == t.Zh || t.Zh == "" || t.En == "" {
		return json.Marshal(t.In("en"))
	}
	return json.Marshal(struct {
		En string `json:"en"`
		Zh string `json:"zh"`
	}{t.En, t.Zh})
}

// UnmarshalJSON accepts both forms and refuses unknown languages.
func (t *Text) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = T(s)
		return nil
	}
	var o struct {
		En string `json:"en"`
		Zh string `json:"zh"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return err
	}
	*t = Text(o)
	return nil
}
