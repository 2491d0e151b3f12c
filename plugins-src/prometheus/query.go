package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// QueryIn evaluates a PromQL expression at one instant. A query without a result
// succeeds with no samples.
type QueryIn struct {
	// The PromQL expression, for example up == 0.
	Query string `json:"query" title:"PromQL" jsonschema:"minLength=1,maxLength=65536" ui:"widget=code;options.language=promql;placeholder=up == 0"`
	// The instant to evaluate at; empty is now.
	Time *time.Time `json:"time,omitempty" ui:"advanced"`
	// How long Prometheus may evaluate, for example 10s.
	Timeout pdk.Duration `json:"timeout,omitempty" ui:"advanced"`
	// The most series to return; 0 is no limit. Prometheus before 3.0 ignores it.
	Limit int `json:"limit,omitempty" jsonschema:"minimum=0" ui:"advanced"`
}

// QueryOut is the result of a query.
type QueryOut struct {
	// What Prometheus answered: vector, scalar, matrix or string.
	Type string `json:"type" title:"Result type"`
	// How many samples there are.
	Count int `json:"count" title:"Number of samples"`
	// The samples. Those of a matrix follow each other series by series.
	Samples []Sample `json:"samples"`
	// The distinct values of the label instance, in order.
	Instances []string `json:"instances"`
	// The value of the first sample, when it is a finite number.
	Value *float64 `json:"value,omitempty" title:"First value"`
	// What Prometheus warns about; the result may be incomplete.
	Warnings []string `json:"warnings"`
}

// Sample is one value of one series.
type Sample struct {
	// The labels of the series.
	Metric map[string]string `json:"metric" title:"Labels"`
	// The value, when it is a finite number.
	Value *float64 `json:"value,omitempty"`
	// The value as Prometheus wrote it, NaN and +Inf included.
	Text string `json:"text"`
	// When the value was taken.
	Time time.Time `json:"time"`
}

// reply is the answer of /api/v1/query.
type reply struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
	Warnings []string `json:"warnings"`
	Infos    []string `json:"infos"`
}

func query(c *pdk.Ctx, in QueryIn) (QueryOut, error) {
	params := pdk.Params{"query": in.Query}
	if in.Time != nil {
		params["time"] = in.Time.UTC().Format(time.RFC3339Nano)
	}
	if in.Timeout > 0 {
		params["timeout"] = fmt.Sprintf("%dms", max(time.Duration(in.Timeout).Milliseconds(), 1))
	}
	if in.Limit > 0 {
		params["limit"] = in.Limit
	}
	var r reply
	if err := c.Gateway(system, "query", params, nil, &r); err != nil {
		return QueryOut{}, explain(err)
	}
	if r.Status != "success" {
		return QueryOut{}, refusal(r, pdk.Fail(pdk.CodeAnswer, "Prometheus answered with status %q", r.Status))
	}
	for _, w := range r.Warnings {
		c.Warn("Prometheus warns: %s", w)
	}
	samples, err := decode(r.Data.ResultType, r.Data.Result)
	if err != nil {
		return QueryOut{}, pdk.Fail(pdk.CodeAnswer, "the %s that Prometheus answered cannot be read: %v", r.Data.ResultType, err)
	}
	out := QueryOut{
		Type: r.Data.ResultType, Count: len(samples), Samples: samples,
		Instances: instances(samples), Warnings: r.Warnings,
	}
	if len(samples) > 0 {
		out.Value = samples[0].Value
	}
	c.Info("%d samples (%s)", out.Count, out.Type)
	return out, nil
}

// explain makes a failure of Prometheus' own words where its answer has them: it
// describes errors in JSON under a status from 400.
func explain(err error) error {
	f, ok := errors.AsType[*contract.Failure](err)
	if !ok || f.Code != pdk.CodeStatus {
		return err
	}
	var r reply
	if json.Unmarshal(f.Detail, &r) != nil || r.ErrorType == "" {
		return err
	}
	return refusal(r, f)
}

func refusal(r reply, f *contract.Failure) *contract.Failure {
	f.Origin, f.System, f.Operation = contract.OriginSystem, system, "query"
	if r.ErrorType == "" {
		return f
	}
	f.Code = "PROMETHEUS_" + strings.ToUpper(r.ErrorType)
	f.Message = "Prometheus refused the query: " + r.Error
	switch r.ErrorType {
	case "timeout", "unavailable", "internal", "canceled":
		f.Retryable = true
	default: // bad_data, execution, not_found: the query is at fault
		f.Retryable = false
	}
	return f
}

func instances(samples []Sample) []string {
	set := map[string]bool{}
	for _, s := range samples {
		if i := s.Metric["instance"]; i != "" {
			set[i] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
