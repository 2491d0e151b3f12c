package pdk_test

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0s": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond,
		"2d": 48 * time.Hour, "1d12h": 36 * time.Hour, "1.5d": 36 * time.Hour, "30m1h": 90 * time.Minute, "PT5M": 5 * time.Minute, "PT1H30M": 90 * time.Minute,
		"P1D": 24 * time.Hour, "P1DT0.5S": 24*time.Hour + 500*time.Millisecond,
	} {
		if got, err := pdk.ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s is %s (%v), want %s", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{"", "5", "s", "-1s", "+1s", "1y", "P", "PT", "P1DT", "1us", "1ns", "1h 5m", "99999999999999999999s", "200000d", "200000h200000h200000h200000h200000h200000h200000h200000h200000h200000h200000h200000h200000h200000h", "P1Y", "P5M", "PT1D", "PT1S1H", "PT1.5H", "Pt5m", "pt5m", "0", ".5s", "1.s"} {
		if got, err := pdk.ParseDuration(text); err == nil {
			t.Errorf("%q was read as %s", text, time.Duration(got))
		}
	}
}

// FuzzDuration: what can be read has the form that the schema asks for, and survives
// being written.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"1d2h", "PT1H", "1.5h", "P1DT", "0.0001ms"} {
		f.Add(s)
	}
	var schema struct{ Pattern string }
	if err := json.Unmarshal([]byte(pdk.Duration(0).SchemaJSON()), &schema); err != nil {
		f.Fatal(err)
	}
	pattern := regexp.MustCompile(schema.Pattern)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := pdk.ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 || !pattern.MatchString(s) {
			t.Fatalf("%q is read as %s, and is not of the form %s", s, d, pattern)
		}
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back pdk.Duration
		if err := json.Unmarshal(raw, &back); err != nil || back != d-d%pdk.Duration(time.Millisecond) {
			t.Fatalf("%q became %s and then %s (%v)", s, raw, back, err)
		}
	})
}
