package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// culmLog returns the functions of culm:host/v1 that tell the operator something.
//
//	log(level i32, text block i64)              0 debug, 1 info, 2 warn, 3 error; others count as info
//	progress(percent i32, message block i64)    percent is held to 0..100; message 0 = none
//
// A text is split at line breaks, cleaned and bounded. More than SmallCalls reports
// of progress end the call with HOSTCALL_LIMIT.
func culmLog() []hostFunc {
	return []hostFunc{
		{"log", "iI>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			v.logText(logLevel(uint32(s[0])), v.block("log", s[1]))
		}},
		{"progress", "iI>", progress},
	}
}

// progressBytesMax bounds the message of a report of progress.
const progressBytesMax = 1 << 10

func progress(_ context.Context, v *invocation, _ api.Module, s []uint64) {
	v.count(&v.counts.progress, v.limits.SmallCalls, "progress")
	message := ""
	if s[1] != 0 {
		message = clean(bounded(v.block("progress", s[1]), progressBytesMax), progressBytesMax)
	}
	percent := int(min(max(int32(s[0]), 0), 100))
	v.say(replay.Event{Kind: replay.KindProgress, Number: int64(percent), Ask: replay.Data(message)})
	v.services.Progress(percent, message)
}

// logLevel maps the number of a level.
func logLevel(n uint32) contract.Level {
	switch n {
	case 0:
		return contract.LevelDebug
	case 2:
		return contract.LevelWarn
	case 3:
		return contract.LevelError
	}
	return contract.LevelInfo
}

// count counts a call of a host function and ends the plugin's call over the limit.
func (v *invocation) count(n *int, limit int, what string) {
	v.touch.blocks = true
	if *n++; *n > limit {
		*n = limit
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"the plugin called %s more than %d times", what, limit))
	}
}
