// Package expr evaluates the expressions of flows: CEL conditions, and ${...}
// templates inside JSON values. Names and types come from JSON Schemas, so that a
// misspelt field is found when the flow is saved. An evaluation is deterministic and
// bounded: it has no clock, no randomness and no way out, and costs, sizes and depths
// have limits, each with its own error.
//
// # Names
//
// Variables go by their names. nodes.ID.outputs.NAME is an output of a node that has ended;
// nodes.ID.iterations counts how often a loop or a repetition has entered the node, from
// 1, and in the node's own inputs counts the iteration that begins. env.NAME is a variable
// of the project; run.id, run.name, run.project, run.operator and run.started_at are the
// run's own facts.
//
// # Functions beyond CEL's own
//
// For texts: lower, upper, trim, split, join, replace, substring, indexOf. fail(message)
// ends the evaluation with that message. The functions py.* and sops.* are for expressions
// that package sops has translated: they behave as Python does, see package python.
package expr
