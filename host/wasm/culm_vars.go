package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// culmVars returns the functions of culm:host/v1 on the run's variables.
//
//	var_get(name block i64) -> (value block i64)   JSON; 0 = unset or not mapped to this node
//	var_set(name block i64, value block i64)       JSON; counts only if the call succeeds
//
// A value that is not JSON ends the call with PLUGIN_TRAP, one over VarBytes or too
// many calls with HOSTCALL_LIMIT, a variable that this node may not set with
// VAR_REFUSED.
func culmVars() []hostFunc {
	return []hostFunc{
		{"var_get", "I>I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			v.count(&v.counts.vars, v.limits.SmallCalls, "var_get and var_set")
			name := v.varName("var_get", s[0])
			got := v.exchange(replay.Event{Kind: replay.KindVarGet, Name: name}, func(e *replay.Event) {
				value, ok := v.services.Var(name)
				e.Answer, e.Absent = replay.Data(value), !ok
			})
			s[0] = 0
			if !got.Absent {
				s[0] = v.put(got.Answer)
			}
		}},
		{"var_set", "II>", varSet},
	}
}

// varNameMax bounds the name of a variable, in bytes.
const varNameMax = 128

func varSet(_ context.Context, v *invocation, _ api.Module, s []uint64) {
	v.count(&v.counts.vars, v.limits.SmallCalls, "var_get and var_set")
	name := v.varName("var_set", s[0])
	value := v.block("var_set", s[1])
	if int64(len(value)) > v.limits.VarBytes {
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"the value of variable %s is %d bytes, the limit is %d", name, len(value), v.limits.VarBytes))
	}
	if err := strict.Check(value); err != nil {
		v.misuse("var_set: the value of variable %s: %v", name, err)
	}
	var cause error
	refused := v.exchange(replay.Event{Kind: replay.KindVarSet, Name: name, Ask: value}, func(e *replay.Event) {
		if cause = v.services.SetVar(name, append([]byte{}, value...)); cause != nil {
			e.Answer = replay.Data(orElse(clean(cause.Error(), 300), "refused"))
		}
	}).Answer
	if len(refused) > 0 {
		v.abort(failure(contract.OriginFlow, CodeVarRefused, "variable %s cannot be set: %s", name, refused).because(cause))
	}
}

// varName returns the name in a block.
func (v *invocation) varName(what string, offset uint64) string {
	b := v.block(what, offset)
	if len(b) > varNameMax {
		v.misuse("%s: the name of a variable is %d bytes, at most %d are allowed", what, len(b), varNameMax)
	}
	return clean(string(b), varNameMax)
}
