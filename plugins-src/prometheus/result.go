package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// point is how Prometheus writes a value: [unix seconds, "text"].
type point struct {
	at   time.Time
	text string
}

// UnmarshalJSON reads the pair.
func (p *point) UnmarshalJSON(b []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a value has %d parts, want a time and a text", len(pair))
	}
	var seconds float64
	if err := json.Unmarshal(pair[0], &seconds); err != nil {
		return fmt.Errorf("the time of a value: %w", err)
	}
	p.at = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return json.Unmarshal(pair[1], &p.text)
}

func (p point) sample(metric map[string]string) Sample {
	s := Sample{Metric: metric, Text: p.text, Time: p.at}
	// JSON has no NaN and no infinity; they are in Text alone.
	if v, err := strconv.ParseFloat(p.text, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		s.Value = &v
	}
	return s
}

// series is an element of a vector (one value) or a matrix (many). One with a native
// histogram has neither and gives no sample.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  *point            `json:"value"`
	Values []point           `json:"values"`
}

func decode(kind string, raw json.RawMessage) ([]Sample, error) {
	var samples []Sample
	switch kind {
	case "scalar", "string":
		var p point
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, err
		}
		s := p.sample(nil)
		if kind == "string" {
			s.Value = nil
		}
		return append(samples, s), nil
	case "vector", "matrix":
		var all []series
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, err
		}
		for _, s := range all {
			if s.Value != nil {
				samples = append(samples, s.Value.sample(s.Metric))
			}
			for _, p := range s.Values {
				samples = append(samples, p.sample(s.Metric))
			}
		}
		return samples, nil
	}
	return nil, fmt.Errorf("the result type %q is unknown", kind)
}
