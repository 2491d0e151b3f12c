package pdk

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time in a form. Its text is a sequence of numbers with the
// units d, h, m, s and ms ("1h30m", "90s"), or the ISO 8601 form that date pickers
// write ("PT1H30M"). A day has 24 hours. It is never negative.
type Duration time.Duration

// SchemaJSON is the JSON Schema of a Duration.
func (Duration) SchemaJSON() string {
	return `{"type":"string","minLength":2,"maxLength":40,` +
		`"pattern":"^(([0-9]+(\\.[0-9]+)?(d|h|ms|m|s))+|P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]+)?S)?)?)$",` +
		`"examples":["90s","1h30m"],"ui:widget":"duration"}`
}

// ParseDuration reads the text of a Duration.
func ParseDuration(s string) (Duration, error) {
	plain := s
	if rest, ok := strings.CutPrefix(s, "P"); ok {
		plain = strings.ToLower(strings.Replace(rest, "T", "", 1))
		if plain == "" || strings.HasSuffix(s, "T") {
			return 0, fmt.Errorf("%q is not a duration", s)
		}
	}
	days := time.Duration(0)
	if n, rest, ok := strings.Cut(plain, "d"); ok {
		d, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as 90s, 1h30m or 2d", s)
		}
		days, plain = time.Duration(d)*24*time.Hour, rest
		if plain == "" {
			plain = "0s"
		}
	}
	d, err := time.ParseDuration(plain)
	if err != nil || d < 0 || days+d < days || strings.ContainsAny(plain, "+-uµn") {
		return 0, fmt.Errorf("%q is not a duration such as 90s, 1h30m or 2d", s)
	}
	return Duration(days + d), nil
}

// String writes the duration with the units of time.Duration.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes the text of the duration.
func (d Duration) MarshalJSON() ([]byte, error) {
	s := d.String()
	// time.Duration writes 1h0m0s and may use units that a form does not know.
	if r := time.Duration(d) % time.Millisecond; r != 0 {
		s = (time.Duration(d) - r).String()
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads the text of the duration.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a duration is a text such as 90s or 1h30m, not %s", b)
	}
	v, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = v
	return nil
}
