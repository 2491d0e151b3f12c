package pdk

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
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
	spans, ok := spansOf(s)
	if !ok {
		return 0, notDuration(s)
	}
	var total time.Duration
	for _, sp := range spans {
		text, factor := sp.number+sp.unit, time.Duration(1)
		if sp.unit == "d" {
			text, factor = sp.number+"h", 24
		}
		d, err := time.ParseDuration(text)
		if err != nil || d > math.MaxInt64/factor || total+d*factor < total {
			return 0, notDuration(s)
		}
		total += d * factor
	}
	return Duration(total), nil
}

// spanOfTime is a number with its unit.
type spanOfTime struct{ number, unit string }

// spansOf splits the text of a duration, and says whether it has one of the two forms.
func spansOf(s string) ([]spanOfTime, bool) {
	rest, iso := strings.CutPrefix(s, "P")
	if !iso {
		return splitSpans(s, "d h ms m s", false)
	}
	date, clock, both := strings.Cut(rest, "T")
	days, ok1 := splitSpans(strings.ToLower(date), "d", true)
	times, ok2 := splitSpans(strings.ToLower(clock), "h m s", true)
	// Letters are upper-case in this form, and what follows a T is not nothing.
	ok := (ok1 || date == "") && (ok2 && both || clock == "" && !both) && strings.ToUpper(s) == s && len(rest) > 0
	return append(days, times...), ok
}

// splitSpans splits numbers with units. In the strict form each unit comes once, in the
// order given, and only the seconds may have a fraction.
func splitSpans(s, units string, strict bool) ([]spanOfTime, bool) {
	var spans []spanOfTime
	left := strings.Fields(units)
	for s != "" {
		i := strings.IndexAny(s, "dhms")
		if i < 0 || !isNumber(s[:i]) {
			return nil, false
		}
		at := slices.IndexFunc(left, func(u string) bool { return strings.HasPrefix(s[i:], u) })
		if at < 0 || strict && left[at] != "s" && strings.Contains(s[:i], ".") {
			return nil, false
		}
		spans = append(spans, spanOfTime{s[:i], left[at]})
		s = s[i+len(left[at]):]
		if strict {
			left = left[at+1:]
		}
	}
	return spans, len(spans) > 0
}

// isNumber reports whether s is digits, with digits behind a point or without a point.
func isNumber(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction))
}

func notDuration(s string) error {
	return fmt.Errorf("%q is not a duration such as 90s, 1h30m or 2d", s)
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
