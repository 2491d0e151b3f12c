package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/pdk/contract"
)

// extismLog returns the functions of extism:host/env that log.
//
//	log_trace(text block i64), log_debug, log_info, log_warn, log_error
//	get_log_level() -> (level i32)    0 trace, 1 debug, 2 info, 3 warn, 4 error
//
// Texts are split at line breaks, cleaned and bounded; see Limits. Trace is logged
// as debug.
func extismLog() []hostFunc {
	at := func(name string, level contract.Level) hostFunc {
		return hostFunc{name, "I>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			v.logText(level, v.block(name, s[0]))
		}}
	}
	return []hostFunc{
		at("log_trace", contract.LevelDebug),
		at("log_debug", contract.LevelDebug),
		at("log_info", contract.LevelInfo),
		at("log_warn", contract.LevelWarn),
		at("log_error", contract.LevelError),
		{"get_log_level", ">i", func(_ context.Context, _ *invocation, _ api.Module, s []uint64) { s[0] = 1 }},
	}
}
