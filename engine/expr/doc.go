// Package expr evaluates the expressions of flows: CEL conditions, and ${...}
// templates inside JSON values. Names and types come from JSON Schemas, so that a
// misspelt field is found when the flow is saved. An evaluation is deterministic and
// bounded: it has no clock, no randomness and no way out, and costs, sizes and depths
// have limits, each with its own error.
package expr
